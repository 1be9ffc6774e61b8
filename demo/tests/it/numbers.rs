use serde_json::Value;

/// Returns the numbers on the page: the pointer into the JSON, the decimals, and the text.
pub(crate) fn on_page(html: &str) -> Vec<(String, usize, String)> {
    html.split("data-json=\"")
        .skip(1)
        .filter_map(|rest| {
            let (pointer, rest) = rest.split_once('"')?;
            let (_, rest) = rest.split_once("data-digits=\"")?;
            let (digits, rest) = rest.split_once("\">")?;
            let (shown, _) = rest.split_once('<')?;
            Some((pointer.to_owned(), digits.parse().ok()?, shown.to_owned()))
        })
        .collect()
}

/// Asserts that the page shows the values of the JSON, and every figure of every side.
pub(crate) fn assert_equal(html: &str, json: &Value) {
    let numbers = on_page(html);
    assert_eq!(
        numbers.len(),
        html.matches("data-json").count(),
        "a number cannot be read"
    );
    for (pointer, digits, shown) in &numbers {
        let value = json.pointer(pointer).and_then(Value::as_f64);
        let value = value.unwrap_or_else(|| panic!("the JSON has no number at {pointer}"));
        assert_eq!(*shown, format!("{value:.digits$}"), "{pointer}");
    }
    let sides = json["sides"].as_array().map_or(0, Vec::len);
    for side in 0..sides {
        for field in [
            "spans",
            "delivered",
            "dropped",
            "allocations_per_span/total",
            "cpu_ns_per_span/median",
        ] {
            let pointer = format!("/sides/{side}/{field}");
            assert!(
                numbers.iter().any(|(shown, ..)| *shown == pointer),
                "{pointer} is not on the page"
            );
        }
    }
}
