//! Producers.

use crate::support::{LONG, batch, quick, received, record, scope};
use opentelemetry::trace::{SpanContext, SpanId, Status, TraceFlags, TraceId, TraceState};
use std::ops::Range;
use zerospan_core::Attribute;
use zerospan_export::{DropCause, InMemoryTransport, Producer, Scope};
use zerospan_otlp::{SpanRecorder, SpanStart};

/// Holds the span number `number`, with one attribute of `size` bytes.
fn recorder(number: u64, size: usize) -> SpanRecorder {
    let context = SpanContext::new(
        TraceId::from(1),
        SpanId::from(number + 1),
        TraceFlags::SAMPLED,
        false,
        TraceState::NONE,
    );
    let mut recorder = SpanRecorder::new();
    recorder.begin(&SpanStart::new(&context, "span", 1));
    recorder.set_attribute(Attribute::new("filler", "x".repeat(size).as_str()));
    recorder
}

fn produce(producer: &Producer, scope: &Scope, number: u64, size: usize) -> Result<(), DropCause> {
    producer.record_span(scope, &recorder(number, size), 2, &Status::Unset)
}

/// Records spans with these numbers and asserts that all are accepted.
fn produce_all(producer: &Producer, scope: &Scope, numbers: Range<u64>) {
    for number in numbers {
        assert_eq!(produce(producer, scope, number, 100), Ok(()));
    }
}

#[test]
fn spans_through_a_producer_arrive_once_each_and_in_order() {
    let memory = InMemoryTransport::new();
    let pipeline = quick()
        .with_transport(memory.clone())
        .with_batch(batch(|batch| batch.chunk_bytes = 4 << 10))
        .without_worker()
        .build()
        .unwrap();
    let (one, other) = (scope("one"), scope("other"));
    let producer = pipeline.producer();
    // Many chunks, with runs of both scopes in each.
    for round in 0..20 {
        produce_all(&producer, &one, round * 10..round * 10 + 10);
        produce_all(&producer, &other, 1000 + round * 10..1000 + round * 10 + 10);
        if round == 7 {
            pipeline.force_flush(LONG).unwrap();
        }
    }
    pipeline.force_flush(LONG).unwrap();
    let received = received(&memory.take());
    assert!(received["one"].iter().copied().eq(0..200));
    assert!(received["other"].iter().copied().eq(1000..1200));
    let stats = pipeline.stats();
    assert!(stats.is_balanced(), "{stats:?}");
    assert_eq!((stats.recorded, stats.delivered), (400, 400));
}

#[test]
fn a_span_too_large_for_a_producer_is_counted_and_those_around_it_arrive() {
    let memory = InMemoryTransport::new();
    let pipeline = quick()
        .with_transport(memory.clone())
        .with_batch(batch(|batch| batch.max_request_bytes = 4 << 10))
        .build()
        .unwrap();
    let scope = scope("large");
    let producer = pipeline.producer();
    produce_all(&producer, &scope, 0..3);
    assert_eq!(
        produce(&producer, &scope, 3, 8 << 10),
        Err(DropCause::TooLarge)
    );
    produce_all(&producer, &scope, 4..6);
    pipeline.force_flush(LONG).unwrap();
    assert_eq!(received(&memory.take())["large"], [0, 1, 2, 4, 5]);
    let stats = pipeline.stats();
    assert!(stats.is_balanced(), "{stats:?}");
    assert_eq!((stats.recorded, stats.delivered), (6, 5));
    assert_eq!(stats.dropped.by(DropCause::TooLarge), 1);
}

#[test]
fn a_large_span_that_fits_beside_the_others_stays_with_them() {
    let pipeline = quick()
        .with_transport(InMemoryTransport::new())
        .with_batch(batch(|batch| batch.chunk_bytes = 64 << 10))
        .without_worker()
        .build()
        .unwrap();
    let scope = scope("scope");
    let producer = pipeline.producer();
    for (number, size, open, queued) in [
        (0, 100, 1, 0),
        (1, 30_000, 2, 0),
        // There is no room beside it.
        (2, 40_000, 1, 2),
    ] {
        assert_eq!(produce(&producer, &scope, number, size), Ok(()));
        let stats = pipeline.stats();
        assert_eq!((stats.open, stats.queued), (open, queued), "{stats:?}");
    }
}

#[test]
fn a_producer_is_refused_after_the_shutdown_and_each_refusal_is_counted() {
    let memory = InMemoryTransport::new();
    let pipeline = quick().with_transport(memory.clone()).build().unwrap();
    let scope = scope("late");
    let producer = pipeline.producer();
    produce_all(&producer, &scope, 0..2);
    pipeline.shutdown(LONG).unwrap();
    let late = pipeline.producer();
    for producer in [&producer, &late] {
        assert_eq!(
            produce(producer, &scope, 2, 100),
            Err(DropCause::AfterShutdown)
        );
    }
    drop((producer, late));
    assert_eq!(received(&memory.take())["late"], [0, 1]);
    let stats = pipeline.stats();
    assert!(stats.is_balanced(), "{stats:?}");
    assert_eq!((stats.recorded, stats.delivered), (4, 2));
    assert_eq!(stats.dropped.by(DropCause::AfterShutdown), 2);
    assert_eq!((stats.threads, stats.pending()), (0, 0));
}

#[test]
fn a_producer_that_is_dropped_hands_over_what_it_holds() {
    let memory = InMemoryTransport::new();
    let pipeline = quick()
        .with_transport(memory.clone())
        .without_worker()
        .build()
        .unwrap();
    let scope = scope("dropped");
    let (gone, kept) = (pipeline.producer(), pipeline.producer());
    produce_all(&gone, &scope, 0..3);
    produce_all(&kept, &scope, 3..4);
    let stats = pipeline.stats();
    assert_eq!((stats.open, stats.queued, stats.threads), (4, 0, 2));
    drop(gone);
    let stats = pipeline.stats();
    assert!(stats.is_balanced(), "{stats:?}");
    assert_eq!((stats.open, stats.queued, stats.threads), (1, 3, 1));
    pipeline.force_flush(LONG).unwrap();
    assert_eq!(received(&memory.take())["dropped"], [0, 1, 2, 3]);
    drop(kept);
    assert_eq!(pipeline.stats().threads, 0);
}

#[test]
fn a_producer_outlives_its_pipeline_and_does_no_harm() {
    let memory = InMemoryTransport::new();
    let pipeline = quick().with_transport(memory.clone()).build().unwrap();
    let watch = pipeline.watch();
    let scope = scope("outlives");
    let producer = pipeline.producer();
    produce_all(&producer, &scope, 0..2);
    drop(pipeline);
    assert_eq!(
        produce(&producer, &scope, 2, 100),
        Err(DropCause::AfterShutdown)
    );
    drop(producer);
    assert_eq!(received(&memory.take())["outlives"], [0, 1]);
    let stats = watch.stats();
    assert!(stats.is_balanced(), "{stats:?}");
    assert_eq!((stats.recorded, stats.pending(), stats.threads), (3, 0, 0));
}

#[test]
fn a_producer_that_two_threads_share_loses_nothing() {
    const EACH: u64 = 1500;
    let memory = InMemoryTransport::new();
    let pipeline = quick()
        .with_transport(memory.clone())
        .with_batch(batch(|batch| {
            batch.chunk_bytes = 4 << 10;
            batch.max_queue_size = Some(4096);
        }))
        .build()
        .unwrap();
    let scope = scope("shared");
    let producer = pipeline.producer();
    std::thread::scope(|threads| {
        for first in [0, EACH] {
            let (producer, scope) = (&producer, &scope);
            threads.spawn(move || produce_all(producer, scope, first..first + EACH));
        }
    });
    pipeline.force_flush(LONG).unwrap();
    let received = received(&memory.take()).remove("shared").unwrap();
    let (one, other): (Vec<u64>, Vec<u64>) =
        received.into_iter().partition(|&number| number < EACH);
    assert!(one.into_iter().eq(0..EACH));
    assert!(other.into_iter().eq(EACH..2 * EACH));
    let stats = pipeline.stats();
    assert!(stats.is_balanced(), "{stats:?}");
    assert_eq!((stats.delivered, stats.threads), (2 * EACH, 1));
}

#[test]
fn a_producer_and_record_on_the_same_thread_both_account() {
    let memory = InMemoryTransport::new();
    let pipeline = quick().with_transport(memory.clone()).build().unwrap();
    let (of_producer, of_record) = (scope("producer"), scope("record"));
    let producer = pipeline.producer();
    for number in 0..10 {
        produce_all(&producer, &of_producer, number..number + 1);
        assert_eq!(record(&pipeline, &of_record, number..number + 1), 1);
    }
    let stats = pipeline.stats();
    assert!(stats.is_balanced(), "{stats:?}");
    assert_eq!((stats.recorded, stats.open, stats.threads), (20, 20, 2));
    pipeline.force_flush(LONG).unwrap();
    let received = received(&memory.take());
    for scope in ["producer", "record"] {
        assert!(received[scope].iter().copied().eq(0..10), "{scope}");
    }
    assert_eq!(pipeline.stats().delivered, 20);
}

#[test]
#[cfg(unix)]
#[allow(unsafe_code)]
fn after_fork_a_producer_of_the_parents_records_into_the_childs_pipeline() {
    let memory = InMemoryTransport::new();
    let pipeline = quick()
        .with_transport(memory.clone())
        .without_worker()
        .build()
        .unwrap();
    let scope = scope("fork");
    let producer = pipeline.producer();
    produce_all(&producer, &scope, 0..2);
    // SAFETY: the child does nothing but use this crate, as a program that forks would, and leaves by `_exit`.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let clean = pipeline.stats().recorded == 0;
        let taken = (10..13).all(|number| produce(&producer, &scope, number, 100).is_ok());
        drop(producer);
        let stats = pipeline.stats();
        let counted = stats.recorded == 3 && stats.threads == 0 && stats.is_balanced();
        let flushed = pipeline.force_flush(LONG) == Ok(());
        let own = received(&memory.take()).remove("fork") == Some(vec![10, 11, 12]);
        let checks = [clean, taken, counted, flushed, own];
        let failed = checks.iter().position(|check| !check);
        let code = failed.map_or(0, |index| index as i32 + 1);
        // SAFETY: ends the child at once, without the destructors of a test harness it is no part of.
        unsafe { libc::_exit(code) };
    }
    assert!(child > 0);
    let mut status = 0;
    // SAFETY: `child` is the process made above, and `status` is where its end is written to.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0, "the child's check number {} failed", status >> 8);
    produce_all(&producer, &scope, 2..3);
    pipeline.force_flush(LONG).unwrap();
    assert_eq!(received(&memory.take())["fork"], [0, 1, 2]);
    let stats = pipeline.stats();
    assert!(stats.is_balanced(), "{stats:?}");
    assert_eq!((stats.recorded, stats.delivered), (3, 3));
}
