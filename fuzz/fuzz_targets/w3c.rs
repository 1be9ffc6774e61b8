//! Headers of W3C Trace Context are read as the official propagator reads them or rejected, and forwarded unchanged.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zerospan_trace::TraceParent;

#[path = "../../crates/zerospan-trace/tests/it/w3c/oracle.rs"]
mod oracle;

// A line for `traceparent`, then one for `tracestate`.
fuzz_target!(|bytes: &[u8]| {
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
    let parent = lines.next().unwrap_or_default();
    match (std::str::from_utf8(parent), TraceParent::try_from(parent)) {
        (Ok(parent), _) => oracle::same_as_official(parent),
        // What follows in a version to come may be anything.
        (Err(_), read) => assert!(read.is_err() || !parent.starts_with(b"00")),
    }
    let state = lines.next().unwrap_or_default();
    oracle::is_passed_on(state.strip_suffix(b"\n").unwrap_or(state));
});
