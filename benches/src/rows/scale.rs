//! The cost of a span with more threads and with more attributes.

use super::trace::eight_native;
use crate::clock::Clock;
use crate::comparison::{Budget, Comparison, Row};
use crate::keys::KEYS;
use crate::pipelines::{QUEUE, Zerospan};
use crate::threads::Threads;
use std::hint::black_box;
use zerospan_trace::Tracer;

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "scale.threads",
        peer: "two threads, a provider each: one thread's time a span",
        ours: "two threads on one provider",
        budget: Budget::AtLeast(0.95),
        // Of the pipeline, per request of 512 spans; none per span.
        allocations: Some(0.01),
        prepare: threads,
    },
    Row {
        id: "scale.attributes",
        peer: "an attribute, in spans of 8, all threads",
        ours: "an attribute, in spans of 64",
        budget: Budget::AtMost(1.2),
        allocations: Some(0.0),
        prepare: attributes,
    },
];

/// Spans of one thread in one run: enough to make the flush at its end negligible.
const SPANS: u64 = 20_000;
const SHARED_QUEUE: u64 = 2 * SPANS;

/// Two threads record on both sides, so that only sharing the provider is compared, and not what two threads on one
/// processor take from each other. Measures the calling thread: the worker has no core left.
fn threads() -> Comparison {
    let new = || Zerospan::new(SHARED_QUEUE);
    let (mut one, other, mut shared) = (new(), new(), new());
    let beside_one = second_thread(other);
    let beside_shared = second_thread(shared.clone());
    Comparison::new(
        SPANS,
        move || record_beside(&mut one, &beside_one),
        move || record_beside(&mut shared, &beside_shared),
        |separate: u64, shared: u64| {
            if (separate, shared) == (2 * SPANS, 2 * SPANS) {
                Ok(())
            } else {
                Err(format!(
                    "two providers delivered {separate} spans, one {shared}"
                ))
            }
        },
    )
    .with_clock(Clock::Thread)
}

fn second_thread(mut ours: Zerospan) -> Threads {
    Threads::new(1, move || record(&mut ours))
}

/// Returns the spans that both threads delivered: with a shared provider, either flush may deliver those of the other.
fn record_beside(ours: &mut Zerospan, second: &Threads) -> u64 {
    second.start();
    record(ours) + second.finish()
}

fn record(ours: &mut Zerospan) -> u64 {
    ours.run(|tracer| (0..SPANS).map(|_| eight_native(tracer)).sum())
        .delivered_by_all
}

const FEW: usize = 8;
const MANY: usize = 64;
const ATTRIBUTES: u64 = 16_000;

fn attributes() -> Comparison {
    let (mut few, mut many) = (Zerospan::new(QUEUE), Zerospan::new(QUEUE));
    Comparison::new(
        ATTRIBUTES,
        move || few.run(spans_of::<FEW>).delivered(),
        move || many.run(spans_of::<MANY>).delivered(),
        |few, many| {
            let expected = (ATTRIBUTES / FEW as u64, ATTRIBUTES / MANY as u64);
            match (few, many) {
                (Ok(few), Ok(many)) if (few, many) == expected => Ok(()),
                (few, many) => Err(format!("delivered of 8: {few:?}; of 64: {many:?}")),
            }
        },
    )
    .with_clock(Clock::Process)
}

/// Makes spans of `N` attributes until there are [`ATTRIBUTES`].
fn spans_of<const N: usize>(tracer: &Tracer) -> u64 {
    let spans = ATTRIBUTES / N as u64;
    for _ in 0..spans {
        let mut span = tracer.span("GET /users/{id}").start();
        for key in &KEYS[..N] {
            span.set(key, black_box("a value of usual length"));
        }
    }
    spans
}
