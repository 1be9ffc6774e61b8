//! The statements of `docs/operating.md` about a pipeline's counts and settings.

use crate::collector::{Collector, Reply};
use crate::support::{LONG, batch, eventually, quick, record, scope, span};
use opentelemetry::trace::{SpanContext, SpanId, Status, TraceFlags, TraceId, TraceState};
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use zerospan_core::Attribute;
use zerospan_export::{
    BatchConfig, Compression, DropCause, ExportResponse, ExportStats, InMemoryTransport, Pipeline,
    Protocol, Request, SendError, ShutdownError, Transport,
};
use zerospan_otlp::{SpanRecorder, SpanStart};

/// Holds requests back while the gate is locked.
#[derive(Clone, Default)]
struct Gated(Arc<Mutex<()>>);

impl Transport for Gated {
    fn send(&mut self, _: &Request<'_>) -> Result<ExportResponse, SendError> {
        drop(self.0.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(ExportResponse::ALL)
    }
}

/// A pipeline whose collector is as slow as `gate` makes it.
fn behind(gate: &Gated, change: impl FnOnce(&mut BatchConfig)) -> Pipeline {
    let gate = gate.clone();
    quick()
        .with_transport(move || Ok(gate.clone()))
        .with_batch(batch(|batch| {
            batch.schedule_delay = Duration::from_secs(600);
            change(batch);
        }))
        .build()
        .unwrap()
}

/// Records `spans` spans of 350 bytes while the collector takes none, and returns what is counted then.
fn burst(spans: u64, change: impl FnOnce(&mut BatchConfig)) -> ExportStats {
    let gate = Gated::default();
    let pipeline = behind(&gate, change);
    let held = gate.0.lock().unwrap();
    let (scope, field) = (scope("burst"), span(0, 280));
    for _ in 0..spans {
        let before = pipeline.stats();
        let is_taken = pipeline.record_encoded(&scope, &field).is_ok();
        // The counts tell of the loss to come.
        let is_full = match before.queue_capacity {
            Some(capacity) => before.open + before.queued > capacity / 10 * 9,
            None => before.chunk_bytes_in_use > before.max_chunk_bytes / 10 * 9,
        };
        assert!(is_taken || is_full, "{before:?}");
    }
    let stats = pipeline.stats();
    drop(held);
    assert!(stats.is_balanced(), "{stats:?}");
    assert_eq!(stats.lost(), stats.dropped.by(DropCause::QueueFull));
    pipeline.force_flush(LONG).unwrap();
    stats
}

#[test]
fn more_memory_holds_the_burst_that_filled_less() {
    const SPANS: u64 = 20_000;
    let stats = burst(SPANS, |batch| {
        batch.max_memory_bytes = batch.max_request_bytes + (2 << 20);
    });
    assert!(stats.lost() > SPANS / 2, "{stats:?}");
    // The collector is slow, rather than the memory too small for the threads: what there is waits.
    assert!(stats.queued + stats.in_flight > 5_000, "{stats:?}");
    let stats = burst(SPANS, |_| {});
    assert_eq!(stats.lost(), 0, "{stats:?}");
    assert!(stats.chunk_bytes_in_use < stats.max_chunk_bytes / 2);
}

#[test]
fn a_larger_number_of_spans_holds_the_burst_that_filled_a_smaller() {
    let stats = burst(8_000, |batch| batch.max_queue_size = Some(2_048));
    assert!(stats.lost() > 4_000, "{stats:?}");
    assert_eq!(stats.queue_capacity, Some(2_048));
    assert!(stats.queued > 1_500, "{stats:?}");
    let stats = burst(8_000, |batch| batch.max_queue_size = Some(8_192));
    assert_eq!(stats.lost(), 0, "{stats:?}");
}

#[test]
fn the_memory_is_for_449_chunks_by_default_and_smaller_chunks_are_more() {
    let chunks = |change: fn(&mut BatchConfig)| {
        let config = batch(change);
        let pipeline = quick()
            .with_transport(InMemoryTransport::new())
            .with_batch(config);
        let stats = pipeline.build().unwrap().stats();
        let bytes = config.max_memory_bytes - config.max_request_bytes;
        assert_eq!(stats.max_chunk_bytes, bytes as u64);
        stats.max_chunk_bytes / config.chunk_bytes as u64
    };
    assert_eq!(chunks(|_| {}), 449);
    assert_eq!(chunks(|batch| batch.chunk_bytes = 8 << 10), 3_592);
}

#[test]
fn a_quick_collector_leaves_few_chunks_in_use() {
    let memory = InMemoryTransport::new();
    let pipeline = quick().with_transport(memory.clone()).build().unwrap();
    let scope = scope("quick");
    for round in 0..20 {
        record(&pipeline, &scope, round * 500..(round + 1) * 500);
        pipeline.force_flush(LONG).unwrap();
        let stats = pipeline.stats();
        assert!(stats.chunk_bytes_in_use <= 2 << 16, "{stats:?}");
        assert!(stats.chunk_bytes <= 1 << 20, "{stats:?}");
        memory.take();
    }
}

#[test]
fn larger_batches_need_fewer_round_trips() {
    let requests = |change: fn(&mut BatchConfig)| {
        let memory = InMemoryTransport::new();
        let pipeline = quick()
            .with_transport(memory.clone())
            .with_batch(batch(change))
            .build()
            .unwrap();
        let (scope, field) = (scope("batches"), span(0, 280));
        for _ in 0..10_000 {
            pipeline.record_encoded(&scope, &field).unwrap();
        }
        pipeline.force_flush(LONG).unwrap();
        let requests = memory.take();
        let spans: usize = requests
            .iter()
            .map(|request| request.len() / field.len())
            .sum();
        assert!(spans >= 10_000);
        requests.len()
    };
    let (small, standard, large) = (
        requests(|batch| batch.batch_bytes = 64 << 10),
        requests(|_| {}),
        requests(|batch| batch.batch_bytes = 2 << 20),
    );
    assert!(
        small > 2 * standard && standard > large,
        "{small}, {standard}, {large}"
    );
    let counted = requests(|batch| {
        batch.max_queue_size = Some(16_384);
        batch.max_export_batch_size = Some(100);
    });
    assert_eq!(counted, 100);
}

#[test]
fn a_span_may_be_as_large_as_a_request_less_a_kibibyte() {
    let bytes = |size: usize| span(0, size).len();
    for max_request_bytes in [16 << 10, 256 << 10] {
        let pipeline = quick()
            .with_transport(InMemoryTransport::new())
            .with_batch(batch(|batch| batch.max_request_bytes = max_request_bytes))
            .build()
            .unwrap();
        let max = max_request_bytes - 1024;
        let size = (max - 200..max).find(|&size| bytes(size) == max).unwrap();
        let scope = scope("large");
        pipeline.record_encoded(&scope, &span(0, size)).unwrap();
        assert_eq!(
            pipeline.record_encoded(&scope, &span(1, size + 1)),
            Err(DropCause::TooLarge)
        );
        pipeline.force_flush(LONG).unwrap();
    }
}

#[test]
fn a_collector_that_hangs_shows_in_requests_that_do_not_change() {
    for protocol in [Protocol::HttpProtobuf, Protocol::Grpc] {
        let collector = Collector::scripted(protocol, |_| Reply::Hang);
        let pipeline = quick()
            .with_otlp(collector.config())
            .with_timeout(LONG)
            .with_drop_timeout(Duration::ZERO)
            .build()
            .unwrap();
        record(&pipeline, &scope("hangs"), 0..10);
        assert!(pipeline.force_flush(Duration::from_millis(50)).is_err());
        let stats = eventually(&pipeline, |stats| stats.attempts == 1);
        assert_eq!(
            (stats.in_flight, stats.requests, stats.attempts),
            (10, 0, 1),
            "{stats:?}"
        );
        // What did not arrive in time stays pending.
        assert_eq!((stats.pending(), stats.lost()), (10, 0));
    }
}

#[test]
fn a_request_that_is_being_sent_when_the_shutdown_ends_stays_in_flight_and_may_arrive() {
    let gate = Gated::default();
    let pipeline = behind(&gate, |batch| batch.max_export_batch_size = Some(10));
    let held = gate.0.lock().unwrap();
    record(&pipeline, &scope("late"), 0..25);
    eventually(&pipeline, |stats| stats.in_flight == 10);
    let ended = pipeline.shutdown(Duration::from_millis(100));
    assert!(
        matches!(ended, Err(ShutdownError::Lost { .. })),
        "{ended:?}"
    );
    let stats = pipeline.stats();
    assert_eq!(stats.in_flight, 10, "{stats:?}");
    drop(held);
    let stats = eventually(&pipeline, |stats| stats.pending() == 0);
    assert_eq!((stats.delivered, stats.pending()), (10, 0), "{stats:?}");
    assert_eq!(stats.dropped.by(DropCause::ShutdownTimeout), 15);
}

#[test]
fn a_request_that_failed_is_not_sent_again() {
    let collector = Collector::scripted(Protocol::HttpProtobuf, |call| match call {
        0 => Reply::Refuse,
        _ => Reply::Take,
    });
    let pipeline = quick().with_otlp(collector.config()).build().unwrap();
    record(&pipeline, &scope("once"), 0..10);
    assert!(pipeline.force_flush(LONG).is_err());
    record(&pipeline, &scope("once"), 10..15);
    pipeline.force_flush(LONG).unwrap();
    let stats = pipeline.stats();
    assert_eq!((stats.delivered, stats.attempts, stats.requests), (5, 2, 2));
    assert_eq!(stats.dropped.by(DropCause::Refused), 10);
}

#[test]
fn a_status_that_refuses_is_in_the_error_and_not_tried_again() {
    for (answer, status) in [
        (
            "HTTP/1.1 301 Moved Permanently\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n",
            "301",
        ),
        (
            "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
            "401",
        ),
        ("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "403"),
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "404"),
        (
            "HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n",
            "413",
        ),
        (
            "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
            "500",
        ),
    ] {
        let collector = Collector::scripted(Protocol::HttpProtobuf, move |_| Reply::Raw(answer));
        let pipeline = quick().with_otlp(collector.config()).build().unwrap();
        record(&pipeline, &scope("refused"), 0..3);
        let error = pipeline.force_flush(LONG).unwrap_err();
        let cause = error.source().unwrap().to_string();
        assert!(cause.contains(status), "{status}: {cause}");
        let stats = pipeline.stats();
        assert_eq!(stats.dropped.by(DropCause::Refused), 3, "{stats:?}");
        assert_eq!((stats.attempts, stats.requests), (1, 1));
    }
}

/// A span as a server makes it, of some 300 bytes.
fn request_span(number: u64) -> Vec<u8> {
    let context = SpanContext::new(
        TraceId::from(u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)),
        SpanId::from(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
        TraceFlags::SAMPLED,
        false,
        TraceState::NONE,
    );
    let mut recorder = SpanRecorder::new();
    recorder.begin(&SpanStart::new(
        &context,
        "GET /cart/{id}",
        1 + number * 1_000_003,
    ));
    let path = format!("/cart/{}", number * 7919 % 100_000);
    for (key, value) in [
        ("http.request.method", "GET"),
        ("http.route", "/cart/{id}"),
        ("url.path", &path),
        ("url.scheme", "https"),
        ("server.address", "shop.example.com"),
        ("network.protocol.version", "1.1"),
        ("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64)"),
    ] {
        recorder.set_attribute(Attribute::new(key, value));
    }
    recorder.set_attribute(Attribute::new("http.response.status_code", 200));
    let mut field = Vec::new();
    recorder.finish(number * 1_000_003 + 77_777, &Status::Unset, &mut field);
    field
}

#[test]
fn compressed_requests_are_a_fraction_of_their_size() {
    let collector = Collector::start(Protocol::HttpProtobuf);
    let config = collector.config().with_compression(Compression::Gzip);
    let pipeline = quick()
        .with_otlp(config)
        .with_timeout(LONG)
        .build()
        .unwrap();
    let scope = scope("compressed");
    for number in 0..1000 {
        let field = request_span(number);
        assert!((250..400).contains(&field.len()), "{}", field.len());
        pipeline.record_encoded(&scope, &field).unwrap();
    }
    pipeline.force_flush(LONG).unwrap();
    let head = &collector.heads()[0].to_ascii_lowercase();
    let (_, length) = head.split_once("content-length: ").unwrap();
    let sent: u64 = length.split_whitespace().next().unwrap().parse().unwrap();
    let stats = pipeline.stats();
    assert_eq!((stats.delivered, stats.requests), (1000, 1));
    assert!(
        sent * 4 < stats.delivered_bytes,
        "{sent} of {}",
        stats.delivered_bytes
    );
}
