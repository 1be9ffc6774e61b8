//! The way of a span from `record` to the transport.

use crate::support::{LONG, batch, batch_from, eventually, quick, received, record, scope, span};
use opentelemetry::KeyValue;
use std::sync::{Arc, Barrier, Mutex};
use std::time::{Duration, Instant};
use zerospan_export::{
    BatchConfig, DropCause, EncodedResource, ExportResponse, InMemoryTransport, Request, SendError,
    Transport,
};

#[test]
fn a_flush_delivers_all_that_was_recorded_before_grouped_by_scope_in_order() {
    let memory = InMemoryTransport::new();
    let pipeline = quick().with_transport(memory.clone()).build().unwrap();
    let (one, other) = (scope("one"), scope("other"));
    for number in 0..500 {
        let scope = if number % 3 == 0 { &one } else { &other };
        pipeline.record_encoded(scope, &span(number, 10)).unwrap();
    }
    assert_eq!(pipeline.force_flush(LONG), Ok(()));
    let scopes = received(&memory.take());
    assert!(
        scopes["one"]
            .iter()
            .copied()
            .eq((0..500).filter(|n| n % 3 == 0))
    );
    assert!(
        scopes["other"]
            .iter()
            .copied()
            .eq((0..500).filter(|n| n % 3 != 0))
    );
    let stats = pipeline.stats();
    assert!(stats.is_balanced());
    assert_eq!(
        (stats.recorded, stats.delivered, stats.pending()),
        (500, 500, 0)
    );
}

#[test]
fn equal_scopes_made_twice_are_one_scope_in_a_request() {
    let memory = InMemoryTransport::new();
    let pipeline = quick().with_transport(memory.clone()).build().unwrap();
    record(&pipeline, &scope("same"), 0..2);
    record(&pipeline, &scope("same"), 2..4);
    pipeline.force_flush(LONG).unwrap();
    let requests = memory.take();
    let names = requests[0]
        .windows(4)
        .filter(|window| window == b"same")
        .count();
    assert_eq!(names, 1);
    assert_eq!(received(&requests)["same"], [0, 1, 2, 3]);
}

#[test]
fn a_request_has_at_most_so_many_spans_and_so_many_bytes() {
    for (spans, bytes) in [(7, 1 << 20), (512, 4 << 10)] {
        let memory = InMemoryTransport::new();
        let pipeline = quick()
            .with_transport(memory.clone())
            .with_batch(batch(|batch| {
                batch.max_export_batch_size = Some(spans);
                batch.max_request_bytes = bytes;
            }))
            .build()
            .unwrap();
        let scopes = [scope("a"), scope("b")];
        let mut numbers = 0;
        for number in 0..300 {
            let size = 50 + (number as usize * 37) % 900;
            let scope = &scopes[(number / 5) as usize % 2];
            pipeline.record_encoded(scope, &span(number, size)).unwrap();
            numbers += 1;
        }
        pipeline.force_flush(LONG).unwrap();
        let requests = memory.take();
        for request in &requests {
            let held: usize = received(std::slice::from_ref(request))
                .values()
                .map(Vec::len)
                .sum();
            assert!(request.len() <= bytes, "{} bytes", request.len());
            assert!((1..=spans).contains(&held), "{held} spans");
        }
        let mut all: Vec<u64> = received(&requests).into_values().flatten().collect();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..numbers));
    }
}

#[test]
fn a_request_is_filled_up_to_its_bytes_beside_a_large_resource() {
    const BYTES: usize = 8 << 10;
    let memory = InMemoryTransport::new();
    let resource = EncodedResource::new(&[KeyValue::new("large", "x".repeat(1000))], None);
    let pipeline = quick()
        .with_resource(resource)
        .with_transport(memory.clone())
        .with_batch(batch(|batch| batch.max_request_bytes = BYTES))
        .build()
        .unwrap();
    let (scope, span) = (scope("scope"), span(1, 400));
    for _ in 0..100 {
        pipeline.record_encoded(&scope, &span).unwrap();
    }
    pipeline.force_flush(LONG).unwrap();
    let mut requests = memory.take();
    requests.pop();
    for request in &requests {
        assert!(request.len() <= BYTES);
        assert!(request.len() + span.len() + 20 > BYTES, "{}", request.len());
    }
    assert!(requests.len() > 3);
}

#[test]
fn a_flush_is_due_when_the_queue_or_half_of_the_memory_is_used_up() {
    let build = |change: fn(&mut BatchConfig)| {
        quick()
            .with_transport(InMemoryTransport::new())
            .with_batch(batch(change))
            .without_worker()
            .build()
            .unwrap()
    };
    let scope = scope("scope");
    let items = build(|batch| {
        batch.max_queue_size = Some(40);
        batch.max_export_batch_size = Some(10);
    });
    let mut numbers = 0..;
    while !items.should_flush() {
        let number = numbers.next().unwrap_or_default();
        items.record_encoded(&scope, &span(number, 10)).unwrap();
        assert!(number < 40);
    }
    assert!(items.stats().queued + 10 > 40, "{:?}", items.stats());
    items.force_flush(LONG).unwrap();
    assert!(!items.should_flush());

    let bytes = build(|batch| {
        batch.chunk_bytes = 4 << 10;
        batch.max_request_bytes = 64 << 10;
        batch.max_memory_bytes = (64 << 10) + 10 * (4 << 10);
    });
    let mut before = bytes.stats();
    while !bytes.should_flush() {
        before = bytes.stats();
        bytes.record_encoded(&scope, &span(1, 500)).unwrap();
        assert!(before.recorded < 200);
    }
    let stats = bytes.stats();
    assert!(stats.chunk_bytes_in_use > stats.max_chunk_bytes / 2);
    assert!(before.chunk_bytes_in_use <= stats.max_chunk_bytes / 2);
    bytes.force_flush(LONG).unwrap();
    assert!(!bytes.should_flush());
}

#[test]
fn a_span_waits_no_longer_than_the_schedule_delay() {
    let memory = InMemoryTransport::new();
    let pipeline = quick()
        .with_transport(memory.clone())
        .with_batch(batch(|batch| {
            batch.schedule_delay = Duration::from_millis(30);
        }))
        .build()
        .unwrap();
    for round in 0..3 {
        let start = Instant::now();
        record(&pipeline, &scope("timer"), round..round + 1);
        let stats = eventually(&pipeline, |stats| stats.delivered == round + 1);
        assert_eq!(stats.delivered, round + 1);
        assert!(
            start.elapsed() >= Duration::from_millis(25),
            "{:?}",
            start.elapsed()
        );
    }
}

/// Requests of 512 items, in place of 512 KiB.
fn full_at_512_items(batch: &mut BatchConfig) {
    batch.max_export_batch_size = Some(512);
    batch.schedule_delay = Duration::from_secs(600);
}

#[test]
fn a_full_request_is_sent_before_the_timer() {
    let memory = InMemoryTransport::new();
    let pipeline = quick()
        .with_transport(memory.clone())
        .with_batch(batch(full_at_512_items))
        .build()
        .unwrap();
    record(&pipeline, &scope("full"), 0..1100);
    let stats = eventually(&pipeline, |stats| stats.delivered >= 512);
    assert!(stats.delivered >= 512, "{stats:?}");
    // By default bytes fill it.
    let pipeline = quick().with_transport(memory.clone()).build().unwrap();
    let (scope, field) = (scope("full"), span(0, 250));
    for _ in 0..=(640 << 10) / field.len() {
        pipeline.record_encoded(&scope, &field).unwrap();
    }
    let stats = eventually(&pipeline, |stats| stats.requests > 0);
    assert!(stats.delivered_bytes > 512 << 10, "{stats:?}");
}

#[test]
fn a_full_request_after_another_is_sent_before_the_timer_too() {
    let memory = InMemoryTransport::new();
    let pipeline = quick()
        .with_transport(memory.clone())
        .with_batch(batch(full_at_512_items))
        .build()
        .unwrap();
    let scope = scope("behind");
    for requests in 1..=4 {
        let from = (requests - 1) * 800;
        record(&pipeline, &scope, from..from + 800);
        let wanted = requests * 512;
        let stats = eventually(&pipeline, |stats| stats.delivered >= wanted);
        assert!(stats.delivered >= wanted, "{stats:?}");
    }
}

#[test]
fn a_span_larger_than_a_chunk_arrives_and_one_larger_than_a_request_is_counted() {
    let memory = InMemoryTransport::new();
    let pipeline = quick().with_transport(memory.clone()).build().unwrap();
    let scope = scope("large");
    record(&pipeline, &scope, 0..3);
    pipeline.record_encoded(&scope, &span(3, 300_000)).unwrap();
    assert_eq!(
        pipeline.record_encoded(&scope, &span(4, 5_000_000)),
        Err(DropCause::TooLarge)
    );
    record(&pipeline, &scope, 5..7);
    pipeline.force_flush(LONG).unwrap();
    assert_eq!(received(&memory.take())["large"], [0, 1, 2, 3, 5, 6]);
    let stats = pipeline.stats();
    assert!(stats.is_balanced());
    assert_eq!(stats.dropped.by(DropCause::TooLarge), 1);
    assert_eq!(stats.dropped.total(), 1);
    assert!(
        stats.chunk_bytes <= 1 << 20,
        "what grew was given back: {stats:?}"
    );
}

#[test]
fn snapshots_balance_at_every_instant() {
    let memory = InMemoryTransport::new();
    let pipeline = quick()
        .with_transport(memory.clone())
        .with_batch(batch(|batch| {
            batch.max_export_batch_size = Some(64);
            batch.max_queue_size = Some(128);
        }))
        .build()
        .unwrap();
    let scope = scope("balance");
    let taken: u64 = std::thread::scope(|threads| {
        let producers: Vec<_> = (0..4)
            .map(|_| threads.spawn(|| record(&pipeline, &scope, 0..3000)))
            .collect();
        for _ in 0..300 {
            let stats = pipeline.stats();
            assert!(stats.is_balanced(), "{stats:?}");
        }
        producers
            .into_iter()
            .map(|producer| producer.join().unwrap())
            .sum()
    });
    pipeline.force_flush(LONG).unwrap();
    let stats = pipeline.stats();
    assert_eq!(stats.recorded, 12_000);
    assert_eq!(
        stats.delivered + stats.dropped.by(DropCause::QueueFull),
        12_000
    );
    assert!(
        stats.delivered <= taken,
        "a thread that ends while the queue is full drops what it holds"
    );
    assert_eq!(
        received(&memory.take())["balance"].len() as u64,
        stats.delivered
    );
}

#[test]
fn unlimited_timeouts_work_as_very_long_ones() {
    let memory = InMemoryTransport::new();
    let pipeline = quick()
        .with_transport(memory.clone())
        .with_timeout(Duration::MAX)
        .with_drop_timeout(Duration::MAX)
        .with_batch(batch(|batch| {
            batch.schedule_delay = Duration::MAX;
            batch.export_timeout = Duration::MAX;
        }))
        .build()
        .unwrap();
    record(&pipeline, &scope("long"), 0..5);
    assert_eq!(pipeline.force_flush(Duration::MAX), Ok(()));
    record(&pipeline, &scope("long"), 5..9);
    assert_eq!(pipeline.shutdown(Duration::MAX), Ok(()));
    assert_eq!(received(&memory.take())["long"].len(), 9);
}

/// Takes requests as slowly as a collector over a network, and keeps what they hold: the number of items and of bytes.
#[derive(Clone, Default)]
struct Slow(Arc<Mutex<Vec<(usize, usize)>>>);

impl Transport for Slow {
    fn send(&mut self, request: &Request<'_>) -> Result<ExportResponse, SendError> {
        std::thread::sleep(Duration::from_millis(5));
        let held = (request.items, request.body.len());
        self.0.lock().unwrap().push(held);
        Ok(ExportResponse::ALL)
    }
}

#[test]
fn a_burst_of_ten_times_the_specifications_queue_loses_nothing() {
    const SPANS: u64 = 20_480;
    let slow = Slow::default();
    let connect = {
        let slow = slow.clone();
        move || Ok(slow.clone())
    };
    let pipeline = quick().with_transport(connect).build().unwrap();
    let scope = scope("burst");
    for number in 0..SPANS {
        let recorded = pipeline.record_encoded(&scope, &span(number, 250));
        assert_eq!(recorded, Ok(()), "{number}");
    }
    let used = pipeline.stats();
    assert!(used.chunk_bytes <= used.max_chunk_bytes, "{used:?}");
    assert_eq!(used.queue_capacity, None);
    pipeline.force_flush(LONG).unwrap();
    let stats = pipeline.stats();
    assert!(stats.is_balanced(), "{stats:?}");
    assert_eq!((stats.delivered, stats.lost()), (SPANS, 0), "{stats:?}");
    // Bytes fill a request, not a number of spans.
    let requests = slow.0.lock().unwrap();
    let (last, full) = requests.split_last().unwrap();
    assert!(full.len() > 1, "{requests:?}");
    for (_, bytes) in full {
        assert!((512 << 10..640 << 10).contains(bytes), "{requests:?}");
    }
    assert!(last.1 < 640 << 10);
}

#[test]
fn a_queue_with_a_number_of_spans_keeps_to_it() {
    let gate = Arc::new(Barrier::new(2));
    let connect = {
        let gate = Arc::clone(&gate);
        move || {
            gate.wait();
            Ok(InMemoryTransport::new())
        }
    };
    let (batch, errors) = batch_from(&[
        ("OTEL_BSP_MAX_QUEUE_SIZE", "2048"),
        ("OTEL_BSP_SCHEDULE_DELAY", "600000"),
    ]);
    assert!(errors.is_empty());
    let pipeline = quick()
        .with_transport(connect)
        .with_batch(batch)
        .build()
        .unwrap();
    // The worker is stuck with the first request. The last chunk waits beside the queue.
    let taken = record(&pipeline, &scope("bounded"), 0..10_000);
    assert!((2048..=2048 + 2 * 512).contains(&taken), "{taken}");
    let dropped = pipeline.stats().dropped.by(DropCause::QueueFull);
    assert_eq!(taken + dropped, 10_000);
    gate.wait();
    pipeline.force_flush(LONG).unwrap();
    assert_eq!(pipeline.stats().delivered, taken);
}
