//! Spans of as many attributes as are asked for.

use crate::keys::KEYS;
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, Tracer};
use std::hint::black_box;

/// Constant text, so that neither side has to hold it.
const VALUE: &str = "a value of usual length";

/// An open span; the caller ends it.
pub(super) fn start_native(
    tracer: &zerospan_trace::Tracer,
    attributes: usize,
) -> zerospan_trace::Span {
    let mut span = tracer.span("GET /users/{id}").start();
    for key in &KEYS[..attributes] {
        span.set(key, black_box(VALUE));
    }
    span
}

/// The same through the traits.
pub(super) fn start<T: Tracer>(tracer: &T, attributes: usize) -> T::Span {
    let mut span = tracer.start("GET /users/{id}");
    for key in &KEYS[..attributes] {
        span.set_attribute(KeyValue::new(key.as_str(), black_box(VALUE)));
    }
    span
}

/// One whole span; 1 if it was recorded.
pub(super) fn whole_native(tracer: &zerospan_trace::Tracer, attributes: usize) -> u64 {
    let mut span = start_native(tracer, attributes);
    let recorded = span.is_recording();
    span.end();
    u64::from(recorded)
}

/// The same through the traits.
pub(super) fn whole(tracer: &impl Tracer, attributes: usize) -> u64 {
    let mut span = start(tracer, attributes);
    let recorded = span.is_recording();
    span.end();
    u64::from(recorded)
}
