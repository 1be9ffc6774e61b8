//! Files that are malformed, or made to do harm: an error with line and column, or a faithful copy.

use proptest::prelude::{ProptestConfig, any, prop, proptest};
use replay::{ReplayError, parse, read_delimited, replay};

/// Returns the fault in the span `fields`, with its line and column.
fn fault(fields: &str) -> (usize, usize, String) {
    fault_in(&format!("[\n  {{ {fields} }}\n]"))
}

fn fault_in(json: &str) -> (usize, usize, String) {
    match parse("file.json", json.as_bytes()) {
        Err(ReplayError::Malformed {
            line,
            column,
            message,
            ..
        }) => (line, column, message),
        other => panic!("{json:.200} gave {other:?}"),
    }
}

fn is_replayed(fields: &str) {
    let json = format!("[{{ {fields} }}]");
    let (counts, outcome) = replay(&parse("file.json", json.as_bytes()).unwrap(), &[]);
    outcome.unwrap();
    assert_eq!(counts.delivered, 1);
}

const IDS: &str = r#""traceId": "1", "id": "2""#;

#[test]
fn errors_name_file_line_and_column() {
    let error = parse("shop.json", b"[\n  {\n    \"traceId\": 7\n  }\n]").unwrap_err();
    assert_eq!(
        error.to_string(),
        "shop.json:3:16: invalid type: integer `7`, expected an id of 1 to 32 hex digits"
    );
}

#[test]
fn what_is_no_json_is_said_where_it_ends() {
    assert_eq!(fault_in(""), (1, 0, "EOF while parsing a value".to_owned()));
    assert_eq!(fault_in("[\n{\"traceId\": \"1\",").0, 2);
    assert_eq!(fault_in("[]\n]").2, "trailing characters");
    assert!(parse("file", b"[{\"traceId\": \"\xff\"}]").is_err());
    assert!(
        fault_in(r#"{"traceId": "1"}"#)
            .2
            .contains("expected a sequence")
    );
    assert!(fault_in("[[1]]").2.contains("expected an id"));
    assert_eq!(parse("file", b" [ ] ").unwrap(), []);
}

#[test]
fn missing_fields_are_named() {
    assert_eq!(
        fault(r#""id": "2""#),
        (2, 15, "missing field `traceId`".to_owned())
    );
    assert_eq!(fault(r#""traceId": "2""#).2, "missing field `id`");
    let annotation = fault(&format!(r#"{IDS}, "annotations": [{{"value": "x"}}]"#));
    assert_eq!(annotation.2, "missing field `timestamp`");
}

#[test]
fn ids_that_are_no_ids_are_refused() {
    for id in [
        "",
        "0x12",
        "+1",
        "g",
        "-1",
        " 1",
        "１",
        "123456789012345678901234567890123",
    ] {
        let message = fault(&format!(r#""traceId": "{id}", "id": "2""#)).2;
        assert!(message.contains("1 to 32 hex digits"), "{message}");
    }
    let long = fault(r#""traceId": "1", "id": "12345678901234567""#).2;
    assert!(long.contains("1 to 16 hex digits"), "{long}");
    let parent = fault(&format!(r#"{IDS}, "parentId": "no""#)).2;
    assert!(parent.contains("1 to 16 hex digits"), "{parent}");
    assert!(
        fault(r#""traceId": "0000", "id": "2""#)
            .2
            .contains("all zeros")
    );
    assert!(
        fault(r#""traceId": "1", "id": "0""#)
            .2
            .contains("all zeros")
    );
}

#[test]
fn a_parent_of_zeros_is_none() {
    let json = format!(r#"[{{{IDS}, "parentId": "0000000000000000"}}]"#);
    assert_eq!(parse("file", json.as_bytes()).unwrap()[0].parent_id, None);
}

#[test]
fn negative_times_are_refused() {
    for field in ["timestamp", "duration"] {
        let (line, _, message) = fault(&format!(r#"{IDS}, "{field}": -5"#));
        assert_eq!(line, 2);
        assert!(
            message.contains("integer `-5`, expected a whole number of microseconds"),
            "{message}"
        );
    }
}

#[test]
fn numbers_that_are_too_large_or_not_whole_are_refused() {
    for number in [
        "18446744073709552",
        "18446744073709551616",
        "1e300",
        "1.5",
        "\"5\"",
        "9e99999",
    ] {
        let message = fault(&format!(r#"{IDS}, "timestamp": {number}"#)).2;
        let is_clear =
            message.contains("a whole number of microseconds") || message == "number out of range";
        assert!(is_clear, "{message}");
    }
    let sum = fault(&format!(
        r#"{IDS}, "timestamp": 18446744073709551, "duration": 1"#
    ))
    .2;
    assert!(sum.contains("year 2554"), "{sum}");
    assert!(
        fault(&format!(r#"{IDS}, "localEndpoint": {{"port": 65536}}"#))
            .2
            .contains("u16")
    );
    is_replayed(&format!(r#"{IDS}, "timestamp": 18446744073709551"#));
}

#[test]
fn absent_times_are_carried_and_a_lone_duration_is_not() {
    is_replayed(IDS);
    is_replayed(&format!(r#"{IDS}, "timestamp": 5"#));
    is_replayed(&format!(r#"{IDS}, "timestamp": null, "duration": 0"#));
    let message = fault(&format!(r#"{IDS}, "duration": 7"#)).2;
    assert!(message.contains("no timestamp"), "{message}");
}

#[test]
fn deep_nesting_ends_in_an_error_and_not_in_the_stack() {
    let deep = "[".repeat(1_000_000);
    assert!(parse("file", deep.as_bytes()).is_err());
    for nested in ["[".repeat(200_000), "{\"a\":".repeat(200_000)] {
        assert!(
            parse(
                "file",
                format!("[{{{IDS}, \"tags\": {{\"a\": {nested}").as_bytes()
            )
            .is_err()
        );
        assert!(parse("file", format!("[{{{IDS}, \"other\": {nested}").as_bytes()).is_err());
    }
}

#[test]
fn what_has_no_place_in_otlp_is_named() {
    let unknown = fault(&format!(r#"{IDS}, "binaryAnnotations": []"#)).2;
    assert!(
        unknown.contains("unknown field `binaryAnnotations`"),
        "{unknown}"
    );
    let kind = fault(&format!(r#"{IDS}, "kind": "client""#)).2;
    assert!(
        kind.contains("unknown variant `client`, expected one of `CLIENT`"),
        "{kind}"
    );
    let tag = fault(&format!(r#"{IDS}, "tags": {{"a": 1}}"#)).2;
    assert!(tag.contains("expected a string"), "{tag}");
    let taken = fault(&format!(
        r#"{IDS}, "tags": {{"peer.service": "a"}}, "remoteEndpoint": {{"serviceName": "b"}}"#
    ));
    assert!(taken.2.contains("rename the tag"), "{}", taken.2);
}

#[test]
fn duplicate_fields_and_tags_are_refused() {
    assert_eq!(
        fault(r#""id": "1", "id": "2", "traceId": "1""#).2,
        "duplicate field `id`"
    );
    let tag = fault(&format!(r#"{IDS}, "tags": {{"a": "1", "a": "2"}}"#)).2;
    assert!(tag.contains("the tag `a` is there twice"), "{tag}");
}

#[test]
fn spans_with_the_same_ids_are_all_sent() {
    let span = format!(r#"{{{IDS}, "name": "same"}}"#);
    let json = format!("[{span},{span},{span}]");
    let (counts, outcome) = replay(&parse("file", json.as_bytes()).unwrap(), &[]);
    outcome.unwrap();
    assert_eq!((counts.delivered, counts.shared), (3, 3));
}

#[test]
fn strings_of_any_content_are_carried() {
    let large = "x".repeat(1 << 20);
    is_replayed(&format!(
        r#"{IDS}, "tags": {{"": "", "\u0000": "\ud83d\ude00\u0000", "large": "{large}"}}"#
    ));
    is_replayed(&format!(r#"{IDS}, "name": "\u202e", "parentId": "2""#));
}

#[test]
fn a_span_beyond_what_a_request_may_hold_is_an_error_that_says_so() {
    let json = format!(
        r#"[{{{IDS}, "tags": {{"huge": "{}"}}}}]"#,
        "x".repeat(5 << 20)
    );
    let (counts, outcome) = replay(&parse("file", json.as_bytes()).unwrap(), &[]);
    let message = outcome.unwrap_err().to_string();
    assert!(
        message.contains("exceeds the maximum size of a request"),
        "{message}"
    );
    assert_eq!((counts.delivered, counts.dropped), (0, 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_file_that_was_cut_or_changed_never_panics(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut json = include_bytes!("../shop.json").trim_ascii().to_vec();
        let at = at.index(json.len());
        json[at] = byte;
        // Whatever it still says is carried; what it says no longer is an error.
        if let Ok(spans) = parse("file", &json) {
            replay(&spans, &[]).1.unwrap();
        }
        assert!(parse("file", &json[..at]).is_err());
    }

    #[test]
    fn what_is_read_back_may_be_anything(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_delimited(&bytes);
    }
}
