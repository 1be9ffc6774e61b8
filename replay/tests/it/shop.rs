//! The small trace that the project ships, whose every kind of field has its place.

use replay::{Value, check, parse, replay, to_otlp};

const SHOP: &[u8] = include_bytes!("../shop.json");

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

#[test]
fn every_field_of_a_span_has_its_place() {
    let spans = parse("shop.json", SHOP).unwrap();
    let root = to_otlp(&spans[0]).unwrap();
    assert_eq!(root.trace_id, 0x7ab3_f0c4_d51e_2968, "padded on the left");
    assert_eq!(root.span_id, 0x7ab3_f0c4_d51e_2968);
    assert_eq!((root.parent_id, root.kind), (None, 2));
    assert_eq!(
        (&*root.service, &*root.name),
        ("storefront", "post /orders")
    );
    assert_eq!(root.start, 1_767_225_600_000_123_000);
    assert_eq!(root.end, root.start + 48_211_000);
    assert_eq!(root.error.as_deref(), Some("payment declined"));
    assert_eq!(root.events[1].name, "répondu ✓");
    assert_eq!(root.events[1].time, 1_767_225_600_047_900_000);
    let expected = [
        ("http.method", text("POST")),
        ("http.path", text("/orders")),
        ("http.status_code", text("502")),
        ("error", text("payment declined")),
        ("network.local.address", text("10.1.0.4")),
        ("network.local.port", Value::Number(8080)),
        ("network.peer.address", text("2001:db8::17")),
        ("network.peer.port", Value::Number(51334)),
        ("zipkin.debug", Value::Flag(true)),
    ];
    assert_eq!(
        root.attributes,
        expected.map(|(key, value)| (key.to_owned(), value))
    );
}

#[test]
fn client_and_server_that_share_an_id_both_keep_it() {
    let spans = parse("shop.json", SHOP).unwrap();
    let (client, server) = (to_otlp(&spans[1]).unwrap(), to_otlp(&spans[2]).unwrap());
    assert_eq!((client.span_id, server.span_id), (0xc1, 0xc1));
    assert_eq!((client.kind, server.kind), (3, 2));
    assert_eq!(
        (&*client.service, &*server.service),
        ("storefront", "payment")
    );
    assert!(
        server
            .attributes
            .contains(&("zipkin.shared".to_owned(), Value::Flag(true)))
    );
    let (counts, outcome) = replay(&spans, &[]);
    outcome.unwrap();
    assert_eq!(counts.shared, 2);
}

#[test]
fn what_the_file_does_not_say_is_what_otlp_leaves_out() {
    let spans = parse("shop.json", SHOP).unwrap();
    let ledger = to_otlp(&spans[3]).unwrap();
    assert_eq!((ledger.end, ledger.kind), (ledger.start, 1));
    assert_eq!(to_otlp(&spans[4]).unwrap().name, "");
    let take = to_otlp(&spans[5]).unwrap();
    assert_eq!((take.start, take.end), (0, 0));
    assert_eq!(take.service, "unknown_service");
    assert_eq!(take.trace_id, 0x463a_c35c_9f64_13ad_4848_5a39_53bb_6124);
}

#[test]
fn counts_out_are_counts_in() {
    let (counts, outcome) = replay(&parse("shop.json", SHOP).unwrap(), &[]);
    outcome.unwrap();
    assert_eq!((counts.spans, counts.delivered, counts.dropped), (6, 6, 0));
    assert_eq!((counts.events, counts.attributes), (2, 22));
}

#[test]
fn more_spans_attributes_and_events_than_limits_allow_are_carried_all_the_same() {
    let tags: Vec<String> = (0..500)
        .map(|n| format!("\"tag{n}\": \"{}\"", "x".repeat(n)))
        .collect();
    let events: Vec<String> = (1..300)
        .map(|n| format!("{{\"timestamp\": {n}, \"value\": \"event {n}\"}}"))
        .collect();
    let large = format!(
        r#"{{"traceId": "a", "id": "b", "tags": {{{}}}, "annotations": [{}]}}"#,
        tags.join(","),
        events.join(",")
    );
    let many: Vec<String> = (1..5000)
        .map(|n| format!(r#"{{"traceId": "1", "id": "{n:x}", "timestamp": 5, "duration": {n}}}"#))
        .collect();
    let json = format!("[{large},{}]", many.join(","));
    let (counts, outcome) = replay(&parse("large", json.as_bytes()).unwrap(), &[]);
    outcome.unwrap();
    assert_eq!((counts.spans, counts.delivered), (5000, 5000));
    assert_eq!((counts.attributes, counts.events), (500, 299));
}

#[test]
fn any_field_that_is_not_what_the_file_says_is_noticed() {
    let spans = parse("shop.json", SHOP).unwrap();
    let given: Vec<_> = spans.iter().map(|span| to_otlp(span).unwrap()).collect();
    let changes: [fn(&mut replay::OtlpSpan); 11] = [
        |span| span.trace_id += 1,
        |span| span.span_id += 1,
        |span| span.parent_id = Some(9),
        |span| span.service.push('x'),
        |span| span.kind = 5,
        |span| span.name.clear(),
        |span| span.start += 1,
        |span| span.end += 1,
        |span| span.attributes.truncate(1),
        |span| span.events[0].time += 1,
        |span| span.error = None,
    ];
    for (index, change) in changes.iter().enumerate() {
        let mut sent = given.clone();
        change(&mut sent[0]);
        assert!(check(&given, &sent).is_err(), "change {index}");
    }
    assert!(check(&given, &given[1..]).is_err());
    check(&given, &given).unwrap();
}
