use super::{Series, Sides};
use crate::keys::KEYS;
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, Tracer};
use std::hint::black_box;
use std::sync::Arc;

pub(super) const SERIES: Series = Series {
    id: "length",
    title: "Length of a value",
    axis: "bytes of one text attribute",
    work: "a root span with one text that the caller borrows; the traits take texts by value, so that both sides behind them \
           are given a copy",
    values: &[0, 16, 64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10],
    prepare,
};

/// Spans of one run, unless their text is too much for the memory of our queue.
const SPANS: u64 = 1_000;
/// Text of one run.
const TEXT: u64 = 8 << 20;

fn prepare(length: u64) -> Sides {
    let text: Arc<str> = "a".repeat(length as usize).into();
    let (second, third) = (Arc::clone(&text), Arc::clone(&text));
    Sides::repeating(
        SPANS.min(TEXT / length.max(1)),
        1,
        move |tracer| {
            let mut span = tracer.span("GET /users/{id}").start();
            span.set(&KEYS[0], black_box(&*text));
            let recorded = span.is_recording();
            span.end();
            u64::from(recorded)
        },
        move |tracer| with_text(tracer, &second),
        move |tracer| with_text(tracer, &third),
    )
}

fn with_text(tracer: &impl Tracer, text: &str) -> u64 {
    let mut span = tracer.start("GET /users/{id}");
    span.set_attribute(KeyValue::new(KEYS[0].as_str(), black_box(text).to_owned()));
    let recorded = span.is_recording();
    span.end();
    u64::from(recorded)
}
