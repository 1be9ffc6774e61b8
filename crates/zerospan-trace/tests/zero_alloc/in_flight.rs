//! Many spans in flight, and large ones.

use super::{KEYS, Null, of};
use opentelemetry::trace::TracerProvider as _;
use zerospan_core::dev::Allocations;
use zerospan_export::{Pipeline, SendError};
use zerospan_trace::{Span, Tracer, TracerProvider, TracerProviderBuilder};

/// Builds a provider whose spans are sent by a flush alone, so that the same number of chunks is in use in every run.
fn provider(setup: impl FnOnce(TracerProviderBuilder) -> TracerProviderBuilder) -> TracerProvider {
    let pipeline = Pipeline::builder()
        .with_transport(|| Ok::<_, SendError>(Null))
        .without_worker()
        .build()
        .expect("the defaults are valid");
    setup(TracerProvider::builder().with_exporter(pipeline)).build()
}

fn check(name: &str, work: impl Fn(&Tracer)) {
    let provider = provider(|builder| builder);
    let tracer = provider.tracer("test");
    assert_eq!(of(&provider, || work(&tracer)), 0, "{name}");
    assert!(provider.stats().is_balanced());
}

fn start(tracer: &Tracer) -> Span {
    let mut span = tracer.span("in flight").start();
    for key in &KEYS {
        span.set(key, "value");
    }
    span
}

fn start_large(tracer: &Tracer, text: &str) -> Span {
    let mut span = tracer.span("large").start();
    span.set(&KEYS[0], text);
    span
}

/// The spans that end before each flush, so that the queue never overflows.
const ENDED_AT_ONCE: usize = 1_000;

/// Counts the allocations while `count` spans start and end, all of them open at once, when as many did so before.
///
/// Of a few such waves it returns the count of the one with the fewest: on a busy machine, an interval after which idle memory is
/// freed may end in any of them.
fn of_a_wave(
    setup: impl FnOnce(TracerProviderBuilder) -> TracerProviderBuilder,
    count: usize,
    start: impl Fn(&Tracer) -> Span,
) -> u64 {
    Allocations::assert_counted();
    let provider = provider(setup);
    let tracer = provider.tracer("test");
    let mut open = Vec::with_capacity(count);
    let mut fewest = u64::MAX;
    for wave in 0..7 {
        let ((), starts) = Allocations::measure(|| open.extend((0..count).map(|_| start(&tracer))));
        let mut allocated = starts.count;
        while !open.is_empty() {
            let left = open.len().saturating_sub(ENDED_AT_ONCE);
            let ((), ends) = Allocations::measure(|| open.truncate(left));
            allocated += ends.count;
            provider.force_flush().expect("delivered");
        }
        fewest = if wave == 0 {
            fewest
        } else {
            fewest.min(allocated)
        };
        if fewest == 0 {
            break;
        }
    }
    assert!(provider.stats().is_balanced());
    fewest
}

#[test]
fn ten_thousand_spans_in_flight_touch_no_heap() {
    assert_eq!(of_a_wave(|builder| builder, 10_000, start), 0);
}

#[test]
#[cfg_attr(tsan, ignore = "takes longer than what is idle is kept for")]
fn a_hundred_thousand_spans_in_flight_touch_no_heap_within_the_bytes_that_are_kept() {
    let keeping = |builder: TracerProviderBuilder| builder.with_max_idle_bytes(256 << 20);
    assert_eq!(of_a_wave(keeping, 100_000, start), 0);
}

#[test]
fn spans_that_follow_each_other_touch_no_heap_while_a_hundred_thousand_are_in_flight() {
    Allocations::assert_counted();
    let provider = provider(|builder| builder);
    let tracer = provider.tracer("test");
    let mut open: Vec<Span> = (0..100_000).map(|_| start(&tracer)).collect();
    let mut allocated = 0;
    for (part, spans) in open.chunks_mut(ENDED_AT_ONCE).enumerate() {
        let ((), replaced) = Allocations::measure(|| {
            for span in spans {
                *span = start(&tracer);
            }
        });
        // The first ones find no slot.
        allocated += if part < 10 { 0 } else { replaced.count };
        provider.force_flush().expect("delivered");
    }
    assert_eq!(allocated, 0);
}

#[test]
fn values_of_sixty_thousand_bytes_touch_no_heap() {
    let text = "x".repeat(60_000);
    check("alone", |tracer| drop(start_large(tracer, &text)));
    for length in [5_000, 20_000, 33_000, 50_000] {
        check("in turn with small ones", |tracer| {
            drop(start(tracer));
            drop(start_large(tracer, &text[..length]));
        });
    }
    check("within a small one", |tracer| {
        let _outer = start(tracer);
        drop(start_large(tracer, &text));
    });
}

#[test]
fn two_hundred_large_spans_in_flight_touch_no_heap() {
    let text = "x".repeat(60_000);
    let allocated = of_a_wave(|builder| builder, 200, |tracer| start_large(tracer, &text));
    assert_eq!(allocated, 0);
}
