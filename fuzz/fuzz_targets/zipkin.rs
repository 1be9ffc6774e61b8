//! Checks that a file for the replay is an error with line and column, or arrives completely.
#![no_main]

use libfuzzer_sys::fuzz_target;
use replay::{ReplayError, read_delimited, read_spans, replay_spans};

fuzz_target!(|bytes: &[u8]| {
    // What is read back is the tool's own, but lies in a file in between.
    let _ = read_delimited(bytes);
    match read_spans("file.json", bytes) {
        Ok(spans) => {
            let (counts, outcome) = replay_spans(&spans, &[]);
            if let Err(error) = outcome {
                panic!("{error}");
            }
            assert_eq!(counts.delivered, spans.len() as u64);
        }
        Err(ReplayError::Malformed {
            line,
            column,
            message,
            ..
        }) => {
            let lines = bytes.split(|&byte| byte == b'\n').count();
            assert!((1..=lines).contains(&line), "line {line} of {lines}");
            assert!(column <= bytes.len() && !message.is_empty());
        }
        Err(other) => panic!("{other}"),
    }
});
