//! The series.

use super::{Series, Side, Sides};
use crate::keys::KEYS;
use crate::pipelines::{OfficialSdk, Outcome, QUEUE, Zerospan};
use crate::rows::{official_layer, our_layer, start_eight};
use crate::threads::Threads;
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, TraceContextExt, Tracer};
use std::hint::black_box;
use std::sync::Arc;
use zerospan_trace::{Span, Tracer as ZerospanTracer};

/// Every series, in the order in which they are printed.
pub const SERIES: &[Series] = &[
    Series {
        id: "attributes",
        axis: "attributes per span",
        sides: DIRECT,
        values: &[0, 1, 2, 4, 8, 16, 32, 64, 96, 128],
        prepare: attributes,
    },
    Series {
        id: "length",
        axis: "bytes of one text attribute",
        sides: DIRECT,
        values: &[0, 16, 64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10],
        prepare: length,
    },
    Series {
        id: "depth",
        axis: "nesting depth",
        sides: DIRECT,
        values: &[1, 2, 4, 8, 16, 32, 64],
        prepare: depth,
    },
    Series {
        id: "in_flight",
        axis: "spans in flight",
        sides: DIRECT,
        values: &[1, 10, 100, 1_000, 10_000, 100_000],
        prepare: in_flight,
    },
    Series {
        id: "threads",
        axis: "threads",
        sides: DIRECT,
        values: &[1, 2, 4, 8],
        prepare: threads,
    },
    Series {
        id: "tracing_in_flight",
        axis: "spans of tracing in flight",
        sides: &[Side::Layer, Side::OfficialLayer],
        values: &[1, 10, 100, 1_000, 10_000, 100_000],
        prepare: tracing_in_flight,
    },
];

const DIRECT: &[Side] = &[Side::Native, Side::Traits, Side::Official];

/// The value of each attribute: constant, so that no side has to own it.
const VALUE: &str = "a value of usual length";
const NAME: &str = "GET /users/{id}";
/// Attributes per span in the series that do not vary them.
const ATTRIBUTES: usize = 8;

fn attributes(count: u64) -> Sides {
    const SPANS: u64 = 1_000;
    let count = count as usize;
    Sides::repeat(
        SPANS,
        1,
        move |tracer| end(start_native(tracer, count)),
        move |tracer| end(start(tracer, count)),
        move |tracer| end(start(tracer, count)),
    )
}

/// The native side borrows the text; the traits take it by value, so that their sides copy it.
fn length(bytes: u64) -> Sides {
    const SPANS: u64 = 1_000;
    /// Limits the text of one run to what the queue holds.
    const TEXT: u64 = 8 << 20;
    fn owned(tracer: &impl Tracer, text: &str) -> u64 {
        let mut span = tracer.start(NAME);
        span.set_attribute(KeyValue::new(KEYS[0].as_str(), black_box(text).to_owned()));
        end(span)
    }
    let text: Arc<str> = "a".repeat(bytes as usize).into();
    let (second, third) = (Arc::clone(&text), Arc::clone(&text));
    Sides::repeat(
        SPANS.min(TEXT / bytes.max(1)),
        1,
        move |tracer| {
            let mut span = tracer.span(NAME).start();
            span.set(&KEYS[0], black_box(&*text));
            end(span)
        },
        move |tracer| owned(tracer, &second),
        move |tracer| owned(tracer, &third),
    )
}

/// Each span is the current one while its child is open: through `enter` and through `in_span`.
fn depth(depth: u64) -> Sides {
    const SPANS: u64 = 1_024;
    Sides::repeat(
        SPANS / depth,
        depth,
        move |tracer| nest_native(tracer, depth),
        move |tracer| nest(tracer, depth),
        move |tracer| nest(tracer, depth),
    )
}

fn nest_native(tracer: &ZerospanTracer, depth: u64) -> u64 {
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

/// Starts all spans before the first one ends; they end in the order of their start.
fn in_flight(count: u64) -> Sides {
    let (mut first, mut second) = (Zerospan::new(QUEUE), Zerospan::new(QUEUE));
    let mut third = OfficialSdk::new(QUEUE);
    let (native, traits) = (first.tracer().clone(), second.tracer().clone());
    let official = third.tracer().clone();
    Sides::new(
        count.max(ENDED_AT_ONCE),
        waves(
            count,
            move || start_native(&native, ATTRIBUTES),
            end,
            move |ended| first.run(|_| ended),
        ),
        waves(
            count,
            move || start(&traits, ATTRIBUTES),
            end,
            move |ended| second.run(|_| ended),
        ),
        waves(
            count,
            move || start(&official, ATTRIBUTES),
            end,
            move |ended| third.run(|_| ended),
        ),
    )
}

/// The same through `tracing`: spans of eight fields.
fn tracing_in_flight(count: u64) -> Sides {
    let (mut first, mut second) = (
        our_layer(Zerospan::new(QUEUE)),
        official_layer(OfficialSdk::new(QUEUE)),
    );
    let (ours, official) = (*first.tracer(), *second.tracer());
    let close = |span: tracing::Span| {
        drop(span);
        1
    };
    let mut layer = waves(count, start_eight, close, move |ended| first.run(|_| ended));
    let mut official_layer = waves(count, start_eight, close, move |ended| {
        second.run(|_| ended)
    });
    Sides::of_tracing(
        count.max(ENDED_AT_ONCE),
        move || ours.take_turn(&mut layer),
        move || official.take_turn(&mut official_layer),
    )
}

/// Spans that end before each flush, so that the queue never overflows.
const ENDED_AT_ONCE: u64 = 1_000;

/// Opens `count` spans, then ends them; repeats until at least [`ENDED_AT_ONCE`] have ended.
fn waves<S>(
    count: u64,
    mut start: impl FnMut() -> S,
    mut end: impl FnMut(S) -> u64,
    mut deliver: impl FnMut(u64) -> Outcome,
) -> impl FnMut() -> Outcome {
    let mut open = Vec::with_capacity(count as usize);
    move || {
        let mut outcome = Outcome::default();
        let mut ended = 0;
        for _ in 0..(ENDED_AT_ONCE / count).max(1) {
            open.extend((0..count).map(|_| start()));
            for span in open.drain(..) {
                ended += end(span);
                if ended == ENDED_AT_ONCE {
                    outcome = std::mem::take(&mut outcome).and(deliver(ended));
                    ended = 0;
                }
            }
        }
        outcome
    }
}

/// All threads record through one provider.
fn threads(count: u64) -> Sides {
    /// Spans of one thread in one run: enough to make releasing the thread negligible.
    const SPANS: u64 = 4_000;
    let spans = count * SPANS;
    let (mut first, mut second) = (Zerospan::new(spans), Zerospan::new(spans));
    let mut third = OfficialSdk::new(spans);
    let (native, traits) = (first.tracer().clone(), second.tracer().clone());
    let official = third.tracer().clone();
    let native = Threads::new(count, move || {
        (0..SPANS)
            .map(|_| end(start_native(&native, ATTRIBUTES)))
            .sum()
    });
    let traits = Threads::new(count, move || {
        (0..SPANS).map(|_| end(start(&traits, ATTRIBUTES))).sum()
    });
    let official = Threads::new(count, move || {
        (0..SPANS).map(|_| end(start(&official, ATTRIBUTES))).sum()
    });
    Sides::new(
        spans,
        move || first.run(|_| native.run()),
        move || second.run(|_| traits.run()),
        move || third.run(|_| official.run()),
    )
}

fn start_native(tracer: &ZerospanTracer, attributes: usize) -> Span {
    let mut span = tracer.span(NAME).start();
    for key in &KEYS[..attributes] {
        span.set(key, black_box(VALUE));
    }
    span
}

fn start<T: Tracer>(tracer: &T, attributes: usize) -> T::Span {
    let mut span = tracer.start(NAME);
    for key in &KEYS[..attributes] {
        span.set_attribute(KeyValue::new(key.as_str(), black_box(VALUE)));
    }
    span
}

/// Returns 1 if the span was recorded.
fn end(mut span: impl opentelemetry::trace::Span) -> u64 {
    let recorded = span.is_recording();
    span.end();
    u64::from(recorded)
}
