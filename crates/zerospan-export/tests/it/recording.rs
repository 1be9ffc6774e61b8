//! Items that `record` accepts and refuses, on one thread and on many.

use crate::support::{LONG, batch, eventually, quick, received, record, scope, span};
use zerospan_export::{DropCause, InMemoryTransport};

#[test]
fn what_is_no_span_is_refused_and_leaves_the_others_alone() {
    let memory = InMemoryTransport::new();
    let pipeline = quick().with_transport(memory.clone()).build().unwrap();
    let scope = scope("malformed");
    let good = span(1, 10);
    let cut = &good[..good.len() - 1];
    let twice = [good.as_slice(), good.as_slice()].concat();
    record(&pipeline, &scope, 0..1);
    for bad in [&[][..], &[0x0a, 0], &[0x12], &[0x12, 0xff], cut, &twice] {
        assert_eq!(
            pipeline.record_encoded(&scope, bad),
            Err(DropCause::Malformed)
        );
    }
    pipeline.record_encoded(&scope, &good).unwrap();
    pipeline.force_flush(LONG).unwrap();
    assert_eq!(received(&memory.take())["malformed"], [0, 1]);
    let stats = pipeline.stats();
    assert!(stats.is_balanced());
    assert_eq!(stats.dropped.by(DropCause::Malformed), 6);
}

#[test]
fn an_encoder_that_panics_or_writes_nothing_costs_its_own_item_and_no_more() {
    let memory = InMemoryTransport::new();
    let pipeline = quick().with_transport(memory.clone()).build().unwrap();
    let scope = scope("panics");
    record(&pipeline, &scope, 0..2);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        pipeline.record(&scope, |chunk| {
            chunk.extend_from_slice(b"half a span");
            panic!("in the encoder");
        })
    }));
    assert!(panicked.is_err());
    record(&pipeline, &scope, 2..3);
    pipeline.force_flush(LONG).unwrap();
    assert_eq!(received(&memory.take())["panics"], [0, 1, 2]);

    record(&pipeline, &scope, 3..5);
    let take = |chunk: &mut Vec<u8>| drop(std::mem::take(chunk));
    for encode in [Vec::clear, take] {
        assert_eq!(pipeline.record(&scope, encode), Err(DropCause::Malformed));
    }
    record(&pipeline, &scope, 5..6);
    pipeline.force_flush(LONG).unwrap();
    assert_eq!(received(&memory.take())["panics"], [3, 4, 5]);
    let stats = pipeline.stats();
    assert!(stats.is_balanced(), "{stats:?}");
    assert_eq!(stats.dropped.by(DropCause::Malformed), 1 + 2);
}

#[test]
fn a_span_recorded_within_another_is_not_lost() {
    let memory = InMemoryTransport::new();
    let pipeline = quick().with_transport(memory.clone()).build().unwrap();
    let scope = scope("nested");
    for outer in [0, 10] {
        pipeline
            .record(&scope, |chunk| {
                assert_eq!(record(&pipeline, &scope, outer + 1..outer + 3), 2);
                chunk.extend_from_slice(&span(outer, 10));
            })
            .unwrap();
    }
    pipeline.force_flush(LONG).unwrap();
    let mut all = received(&memory.take()).remove("nested").unwrap();
    all.sort_unstable();
    assert_eq!(all, [0, 1, 2, 10, 11, 12]);
    assert!(pipeline.stats().is_balanced());
}

#[test]
fn a_thread_that_ends_hands_over_its_spans() {
    let memory = InMemoryTransport::new();
    let pipeline = quick().with_transport(memory.clone()).build().unwrap();
    let scope = scope("threads");
    for thread in 0..50 {
        let (pipeline, scope) = (pipeline.clone(), scope.clone());
        let handle = std::thread::spawn(move || record(&pipeline, &scope, thread..thread + 1));
        assert_eq!(handle.join().unwrap(), 1);
    }
    let stats = pipeline.stats();
    assert_eq!((stats.recorded, stats.queued, stats.threads), (50, 50, 0));
    assert!(
        stats.chunk_bytes_in_use <= 2 * 65_536,
        "chunks of ended threads lie together: {stats:?}"
    );
    pipeline.force_flush(LONG).unwrap();
    assert_eq!(received(&memory.take())["threads"].len(), 50);
}

#[test]
fn many_threads_fit_into_little_memory_and_lose_nothing() {
    let memory = InMemoryTransport::new();
    let pipeline = quick()
        .with_transport(memory.clone())
        .with_batch(batch(|batch| {
            batch.max_memory_bytes = batch.max_request_bytes + (8 << 16);
        }))
        .build()
        .unwrap();
    let scope = scope("many");
    let gate = std::sync::Barrier::new(101);
    std::thread::scope(|threads| {
        for thread in 0..100 {
            let (pipeline, scope, gate) = (&pipeline, &scope, &gate);
            threads.spawn(move || {
                // A chunk for each would be 12 times the bound.
                gate.wait();
                record(pipeline, scope, thread..thread + 1);
                gate.wait();
                gate.wait();
            });
        }
        gate.wait();
        gate.wait();
        let stats = pipeline.stats();
        assert!(stats.chunk_bytes <= 8 << 16, "{stats:?}");
        assert_eq!(stats.threads, 100);
        gate.wait();
    });
    pipeline.force_flush(LONG).unwrap();
    let mut all = received(&memory.take()).remove("many").unwrap();
    all.sort_unstable();
    assert!(all.into_iter().eq(0..100));
    assert!(pipeline.stats().is_balanced());
}

#[test]
fn threads_that_end_together_lose_nothing_that_memory_holds() {
    let memory = InMemoryTransport::new();
    let pipeline = quick()
        .with_transport(memory.clone())
        .with_batch(batch(|batch| {
            batch.chunk_bytes = 8 << 10;
            batch.max_queue_size = Some(2048);
        }))
        .without_worker()
        .build()
        .unwrap();
    let scope = scope("ending");
    std::thread::scope(|threads| {
        for thread in 0..100 {
            let (pipeline, scope) = (&pipeline, &scope);
            threads.spawn(move || {
                // Less than a chunk: it is handed over when the thread ends.
                for number in thread * 40..(thread + 1) * 40 {
                    pipeline.record_encoded(scope, &span(number, 10)).unwrap();
                }
            });
        }
    });
    let stats = eventually(&pipeline, |stats| stats.threads == 0);
    assert_eq!(stats.dropped.total(), 0, "{stats:?}");
    assert_eq!(stats.queued, 4000);
    assert!(Some(stats.queued) > stats.queue_capacity);
    pipeline.force_flush(LONG).unwrap();
    assert!(received(&memory.take())["ending"].len() == 4000);
}

#[test]
fn an_encoder_that_takes_its_vector_leaves_no_charge_behind() {
    let memory = InMemoryTransport::new();
    let pipeline = quick().with_transport(memory.clone()).build().unwrap();
    let scope = scope("taken");
    let good = span(0, 100);
    for number in 0..600_usize {
        let outcome = std::thread::scope(|threads| {
            let thread = threads.spawn(|| match number % 4 {
                0 => pipeline.record(&scope, |chunk| drop(std::mem::take(chunk))),
                1 => pipeline.record(&scope, |chunk| {
                    drop(std::mem::take(chunk));
                    panic!("in the encoder");
                }),
                2 => pipeline.record(&scope, |chunk| *chunk = good.clone()),
                _ => pipeline.record(&scope, |chunk| {
                    *chunk = Vec::with_capacity(1 << 20);
                    chunk.extend_from_slice(&good);
                }),
            });
            thread.join()
        });
        match number % 4 {
            0 => assert_eq!(outcome.unwrap(), Err(DropCause::Malformed)),
            1 => assert!(outcome.is_err()),
            _ => assert_eq!(outcome.unwrap(), Ok(())),
        }
    }
    pipeline.force_flush(LONG).unwrap();
    let stats = pipeline.stats();
    assert!(stats.is_balanced(), "{stats:?}");
    assert_eq!((stats.delivered, stats.dropped.total()), (300, 300));
    assert!(stats.chunk_bytes <= 1 << 20, "{stats:?}");
}

#[test]
fn spans_larger_than_a_chunk_are_charged_for_their_memory_and_refused_beyond_the_bound() {
    const SIZE: usize = 200_000;
    let memory = InMemoryTransport::new();
    let pipeline = quick()
        .with_transport(memory.clone())
        .with_batch(batch(|batch| {
            batch.max_memory_bytes = batch.max_request_bytes + (1 << 20);
        }))
        .without_worker()
        .build()
        .unwrap();
    let (scope, large) = (scope("large"), span(0, SIZE));
    let outcomes: Vec<_> = (0..20)
        .map(|_| pipeline.record_encoded(&scope, &large))
        .collect();
    let accepted = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let stats = pipeline.stats();
    assert!(stats.is_balanced(), "{stats:?}");
    assert!(accepted > 0, "{outcomes:?}");
    assert!(
        stats.chunk_bytes_in_use >= (accepted * SIZE) as u64,
        "{stats:?}"
    );
    assert!(stats.chunk_bytes <= stats.max_chunk_bytes, "{stats:?}");
    let refused = (outcomes.len() - accepted) as u64;
    assert_eq!(stats.dropped.by(DropCause::QueueFull), refused);
    assert_eq!(outcomes.last(), Some(&Err(DropCause::QueueFull)));
    pipeline.force_flush(LONG).unwrap();
    assert_eq!(received(&memory.take())["large"].len(), accepted);
    // The memory is free for others.
    assert_eq!(pipeline.stats().chunk_bytes_in_use, 0);
}

#[test]
fn the_end_of_a_pipeline_leaves_the_spans_of_others_with_their_threads() {
    let [kept, ended, other] = [(); 3].map(|()| {
        let builder = quick().with_transport(InMemoryTransport::new());
        builder.build().expect("valid")
    });
    let scope = scope("scope");
    for pipeline in [&kept, &ended] {
        record(pipeline, &scope, 0..2);
    }
    drop(ended);
    // The thread looks for state of pipelines that ended when it uses another for the first time.
    record(&other, &scope, 0..1);
    record(&kept, &scope, 2..3);
    let stats = kept.stats();
    assert_eq!((stats.open, stats.queued), (3, 0), "{stats:?}");
}
