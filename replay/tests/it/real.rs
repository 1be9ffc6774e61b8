//! Captures that nobody here made, where they are there.

use replay::{Destination, check, parse, read_delimited, replay, to_otlp};
use std::path::{Path, PathBuf};

/// The files of `../shared/data`, seen from the project's root.
fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let Ok(entries) = folder.read_dir() else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    });
    files.sort();
    files
}

#[test]
#[allow(clippy::print_stderr)]
fn real_traces_arrive_whole_in_a_file() {
    let files = files();
    if files.is_empty() {
        eprintln!("skipped: there are no traces in ../shared/data");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for path in files {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let json = std::fs::read(&path).unwrap();
        let spans = parse(&name, &json).unwrap();
        let out = folder.path().join(&name);
        let (counts, outcome) = replay(&spans, &[Destination::File(out.clone())]);
        outcome.unwrap();
        assert_eq!(
            (counts.delivered, counts.dropped),
            (counts.spans, 0),
            "{name}"
        );

        // Counted by another reader than the one under test.
        let plain: serde_json::Value = serde_json::from_slice(&json).unwrap();
        let plain = plain.as_array().unwrap();
        let annotations =
            |span: &serde_json::Value| span["annotations"].as_array().map_or(0, Vec::len);
        assert_eq!(counts.spans, plain.len() as u64, "{name}");
        assert_eq!(
            counts.events,
            plain.iter().map(annotations).sum::<usize>() as u64,
            "{name}"
        );

        let given: Vec<_> = spans.iter().map(|span| to_otlp(span).unwrap()).collect();
        let sent = read_delimited(&std::fs::read(&out).unwrap()).unwrap();
        check(&given, &sent).unwrap();
        for span in plain {
            for (key, value) in span["tags"].as_object().into_iter().flatten() {
                let id = u64::from_str_radix(span["id"].as_str().unwrap(), 16).unwrap();
                let value = replay::Value::Text(value.as_str().unwrap().to_owned());
                let tag = (key.clone(), value);
                let arrived = sent
                    .iter()
                    .any(|sent| sent.span_id == id && sent.attributes.contains(&tag));
                assert!(arrived, "{name}: {tag:?}");
            }
        }
    }
}
