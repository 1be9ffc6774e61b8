//! The formats besides Zipkin's.

use replay::{Destination, ReplayError, Value, check, read_delimited, read_spans, replay_spans};
use serde_json::Value as Json;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");

fn read(name: &str) -> Vec<replay::OtlpSpan> {
    let json = std::fs::read(format!("{FOLDER}/{name}")).unwrap();
    let spans = read_spans(name, &json).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let (counts, outcome) = replay_spans(&spans, &[Destination::File(out.clone())]);
    outcome.unwrap();
    assert_eq!((counts.delivered, counts.dropped), (2, 0), "{name}");
    check(
        &spans,
        &read_delimited(&std::fs::read(out).unwrap()).unwrap(),
    )
    .unwrap();
    spans
}

#[test]
fn traces_of_jaeger_and_otlp_arrive_whole() {
    for name in ["jaeger.json", "otlp.jsonl"] {
        let spans = read(name);
        let [root, child] = &spans[..] else {
            panic!("{spans:?}");
        };
        assert_eq!(
            (&*root.service, &*root.name, root.kind),
            ("shop", "GET /cart", 2)
        );
        assert_eq!(root.error.as_deref(), Some("no cart"), "{name}");
        assert!(
            root.attributes
                .contains(&("load".to_owned(), Value::Float(0.5_f64.to_bits())))
        );
        assert_eq!(root.resource.len(), 1, "{name}");
        let event = &root.events[0];
        assert_eq!(
            (&*event.name, event.time),
            ("cache miss", 1_780_000_000_000_700_000)
        );
        let cache = ("cache.name".to_owned(), Value::Text("carts".to_owned()));
        assert_eq!(event.attributes, [cache], "{name}");
        assert_eq!(
            (&*child.service, child.parent_id),
            ("store", Some(root.span_id))
        );
        assert!(child.is_ok && !root.is_ok, "{name}");
        let links = [root, child].map(|span| span.links.len());
        assert_eq!(links.iter().sum::<usize>(), 1, "{name}");
    }
    let root = &read("otlp.jsonl")[0];
    assert_eq!(root.start, 1_780_000_000_000_000_001);
    assert_eq!(root.scope, ("http".to_owned(), "1.0".to_owned()));
}

#[test]
fn what_cannot_be_replayed_is_an_error_with_its_place() {
    let jaeger: Json =
        serde_json::from_slice(&std::fs::read(format!("{FOLDER}/jaeger.json")).unwrap()).unwrap();
    let changed = |change: fn(&mut Json)| {
        let mut file = jaeger.clone();
        change(&mut file["data"][0]);
        serde_json::to_vec_pretty(&file).unwrap()
    };
    for (json, part) in [
        (b"spans".to_vec(), "Zipkin v2"),
        (Vec::new(), "OTLP"),
        (b"{\"data\": [], \"spans\": 1}".to_vec(), "unknown field"),
        (b"{\"resourceSpans\": [{}, {\"x\": 1}]}".to_vec(), "unknown field `x`"),
        (
            b"{\"resourceSpans\": [{\"scopeSpans\": [{\"spans\": [{\"traceId\": \"1\", \"spanId\": \"1\", \
              \"startTimeUnixNano\": \"2\", \"endTimeUnixNano\": \"1\"}]}]}]}"
                .to_vec(),
            "ends before it starts",
        ),
        (changed(|trace| trace["processes"] = Json::from(serde_json::Map::new())), "process"),
        (changed(|trace| trace["spans"][0]["spanID"] = "0".into()), "all zeros"),
        (changed(|trace| trace["spans"][0]["tags"][0]["value"] = Json::Null), "span.kind"),
    ] {
        match read_spans("file", &json) {
            Err(ReplayError::Malformed { message, line, .. }) => {
                assert!(line >= 1 && message.contains(part), "{part}: {message}");
            }
            other => panic!("{part}: {other:?}"),
        }
    }
}
