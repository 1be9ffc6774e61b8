use super::{Series, Sides};
use crate::keys::KEYS;
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, TraceContextExt, Tracer};
use std::hint::black_box;

pub(super) const SERIES: Series = Series {
    id: "depth",
    title: "Depth",
    axis: "spans within one another",
    work: "a root span and each span within the last, current while the next is open, with one number; through the scope of \
           the native calls, and through `in_span`",
    values: &[1, 2, 4, 8, 16, 32, 64],
    prepare,
};

/// Spans of one run, about.
const SPANS: u64 = 1_024;

fn prepare(depth: u64) -> Sides {
    Sides::repeating(
        SPANS / depth,
        depth,
        move |tracer| nest_native(tracer, depth),
        move |tracer| nest(tracer, depth),
        move |tracer| nest(tracer, depth),
    )
}

/// How many of the spans were recorded.
fn nest_native(tracer: &zerospan_trace::Tracer, depth: u64) -> u64 {
    if depth == 0 {
        return 0;
    }
    let mut span = tracer.span("level").start();
    let entered = span.enter();
    span.set(&KEYS[0], black_box(200_i64));
    let recorded = u64::from(span.is_recording()) + nest_native(tracer, depth - 1);
    drop(entered);
    recorded
}

fn nest<T: Tracer>(tracer: &T, depth: u64) -> u64
where
    T::Span: Send + Sync + 'static,
{
    if depth == 0 {
        return 0;
    }
    tracer.in_span("level", |context| {
        let span = context.span();
        span.set_attribute(KeyValue::new(KEYS[0].as_str(), black_box(200_i64)));
        u64::from(span.is_recording()) + nest(tracer, depth - 1)
    })
}
