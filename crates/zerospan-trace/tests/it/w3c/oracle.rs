//! Properties of any header, for the tests and the fuzz target: `traceparent` is compared with the official propagator,
//! `tracestate` with itself, since the official one accepts too much.

use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{SpanContext, TraceContextExt, TraceFlags, TraceState};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use zerospan_trace::{TraceParent, remote_span_context};

struct Header<'a>(&'a str);

impl Extractor for Header<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        (key == TraceParent::HEADER).then_some(self.0)
    }

    fn keys(&self) -> Vec<&str> {
        vec![TraceParent::HEADER]
    }
}

/// Returns what the official propagator reads.
pub(crate) fn read(header: &str) -> Option<SpanContext> {
    let context =
        TraceContextPropagator::new().extract_with_context(&Context::new(), &Header(header));
    let found = context.span().span_context().clone();
    found.is_valid().then_some(found)
}

/// Checks that the official propagator reads the same, except for the flag of the second level, and that the header is
/// written again unchanged.
pub(crate) fn same_as_official(header: &str) {
    let Ok(parent) = header.parse::<TraceParent>() else {
        return;
    };
    let ours = SpanContext::from(parent);
    let sampled = TraceFlags::SAMPLED & ours.trace_flags();
    let (trace_id, span_id) = (ours.trace_id(), ours.span_id());
    let known = SpanContext::new(trace_id, span_id, sampled, true, TraceState::NONE);
    assert_eq!(read(header), Some(known), "{header}");
    let written = parent.to_string();
    let header = header.trim_matches([' ', '\t']);
    assert_eq!(written[2..53], header[2..53]);
    assert_eq!(written.parse(), Ok(parent));
}

/// A state that is read is written as it came, less blanks and empty members, and is read again; nothing else is in it.
pub(crate) fn is_passed_on(tracestate: &[u8]) {
    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let read = |state: &[u8]| remote_span_context([PARENT], [state]).expect("valid");
    let context = read(tracestate);
    let written = context.trace_state().header();
    assert_eq!(read(written.as_bytes()), context);
    if written.is_empty() {
        return;
    }
    let members = String::from_utf8_lossy(tracestate);
    let members = members
        .split(',')
        .map(|member| member.trim_matches([' ', '\t']));
    let members: Vec<&str> = members.filter(|member| !member.is_empty()).collect();
    assert_eq!(written, members.join(","));
    assert!(members.len() <= 32, "{written}");
    assert!(
        written.bytes().all(|byte| matches!(byte, b' '..=b'~')),
        "{written}"
    );
}
