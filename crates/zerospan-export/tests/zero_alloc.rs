//! Allocations of recording and sending: none per span, and a small, steady number per request.

use opentelemetry::InstrumentationScope;
use opentelemetry::trace::{SpanContext, SpanId, Status, TraceFlags, TraceId, TraceState};
use std::sync::{Arc, Barrier, Mutex, PoisonError};
use std::time::Duration;
use zerospan_core::Attribute;
use zerospan_core::dev::{Allocations, CountingAllocator};
use zerospan_export::{
    BatchConfig, ExportResponse, Pipeline, Request, Scope, SendError, Transport,
};
use zerospan_otlp::{SpanRecorder, SpanStart};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

/// The allocations of all threads are counted, so tests run one at a time.
static ALONE: Mutex<()> = Mutex::new(());

const LONG: Duration = Duration::from_secs(5);

/// Takes everything and keeps nothing.
struct Nowhere;

impl Transport for Nowhere {
    fn send(&mut self, _: &Request<'_>) -> Result<ExportResponse, SendError> {
        Ok(ExportResponse::ALL)
    }
}

/// The same, while no thread holds the gate.
struct Gated(Arc<Mutex<()>>);

impl Transport for Gated {
    fn send(&mut self, _: &Request<'_>) -> Result<ExportResponse, SendError> {
        drop(self.0.lock());
        Ok(ExportResponse::ALL)
    }
}

/// One span of 300 bytes of arbitrary content.
fn span() -> Vec<u8> {
    let mut field = vec![0x12, 0xa9, 0x02];
    field.resize(300, 7);
    field
}

/// A span that a collector can decode.
fn recorder() -> SpanRecorder {
    let context = SpanContext::new(
        TraceId::from(1),
        SpanId::from(1),
        TraceFlags::SAMPLED,
        false,
        TraceState::NONE,
    );
    let mut span = SpanRecorder::new();
    span.begin(&SpanStart::new(&context, "span", 1));
    span
}

fn scope() -> Scope {
    Scope::new(&InstrumentationScope::builder("zero").build())
}

#[test]
fn neither_recording_nor_sending_allocates_once_the_memory_is_there() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    Allocations::assert_counted();
    let mut batch = BatchConfig::default();
    batch.max_queue_size = Some(4096);
    let gate = Arc::new(Mutex::new(()));
    let of_transport = Arc::clone(&gate);
    let pipeline = Pipeline::builder()
        .with_transport(move || Ok(Gated(Arc::clone(&of_transport))))
        .with_batch(batch)
        .build()
        .unwrap();
    let (scopes, span) = ([scope(), scope()], span());
    let round = |closed: bool| {
        let gate = closed.then(|| gate.lock());
        for number in 0..4000 {
            // Runs of 50, so that requests have more than one scope.
            let scope = &scopes[number / 50 % 2];
            pipeline.record_encoded(scope, &span).unwrap();
        }
        drop(gate);
        pipeline.force_flush(LONG).unwrap();
    };
    // With the gate closed as many chunks are out as ever can be.
    for _ in 0..20 {
        round(true);
    }
    let before = Allocations::all_threads();
    let requests = pipeline.stats().requests;
    for _ in 0..10 {
        round(false);
    }
    let counted = Allocations::all_threads().since(before);
    let requests = pipeline.stats().requests - requests;
    assert!(requests >= 80, "{requests}");
    // The two snapshots allocate once each; a chunk more or less depends on how far the worker is behind.
    assert!(
        counted.count <= 2 + 8,
        "{counted:?} for {requests} requests"
    );
    assert_eq!(pipeline.stats().delivered, 30 * 4000);
}

#[test]
fn a_thread_that_records_allocates_nothing_for_a_span() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    Allocations::assert_counted();
    let pipeline = Pipeline::builder()
        .with_transport(|| Ok(Nowhere))
        .build()
        .unwrap();
    let (scope, span) = (scope(), span());
    for _ in 0..2 {
        for _ in 0..100 {
            pipeline.record_encoded(&scope, &span).unwrap();
        }
        pipeline.force_flush(LONG).unwrap();
    }
    let ((), counted) = Allocations::measure(|| {
        for _ in 0..100 {
            pipeline.record_encoded(&scope, &span).unwrap();
        }
    });
    assert_eq!(counted, Allocations::default());

    // An encoder of the user's writes into memory that the thread keeps.
    let encode = |bytes: &mut Vec<u8>| bytes.extend_from_slice(&span);
    pipeline.record(&scope, encode).unwrap();
    let ((), counted) = Allocations::measure(|| {
        for _ in 0..10 {
            pipeline.record(&scope, encode).unwrap();
        }
    });
    assert_eq!(counted, Allocations::default());
}

#[test]
fn a_producer_allocates_nothing_for_a_span_whole_chunks_included() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    Allocations::assert_counted();
    let mut batch = BatchConfig::default();
    batch.chunk_bytes = 4 << 10;
    let pipeline = Pipeline::builder()
        .with_transport(|| Ok(Nowhere))
        .with_batch(batch)
        .without_worker()
        .build()
        .unwrap();
    let span = recorder();
    let (scope, producer) = (scope(), pipeline.producer());
    let round = || {
        for _ in 0..500 {
            producer
                .record_span(&scope, &span, 2, &Status::Unset)
                .unwrap();
        }
    };
    for _ in 0..2 {
        round();
        pipeline.force_flush(LONG).unwrap();
    }
    let ((), counted) = Allocations::measure(round);
    assert_eq!(counted, Allocations::default());
    let stats = pipeline.stats();
    assert!(stats.queued > 100, "chunks were handed over: {stats:?}");
}

#[test]
fn a_span_that_is_refused_allocates_nothing() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    Allocations::assert_counted();
    let pipeline = Pipeline::builder()
        .with_transport(|| Ok(Nowhere))
        .build()
        .unwrap();
    let (scope, span) = (scope(), span());
    pipeline.record_encoded(&scope, &span).unwrap();
    pipeline.shutdown(LONG).unwrap();
    let (refused, counted) = Allocations::measure(|| {
        (0..100)
            .filter(|_| pipeline.record_encoded(&scope, &span).is_err())
            .count()
    });
    assert_eq!((refused, counted), (100, Allocations::default()));
}

#[test]
fn a_snapshot_allocates_once() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    Allocations::assert_counted();
    let pipeline = Pipeline::builder()
        .with_transport(|| Ok(Nowhere))
        .build()
        .unwrap();
    let (scope, span) = (scope(), span());
    let gate = Barrier::new(9);
    std::thread::scope(|threads| {
        for _ in 0..8 {
            threads.spawn(|| {
                pipeline.record_encoded(&scope, &span).unwrap();
                gate.wait();
                gate.wait();
            });
        }
        gate.wait();
        let (stats, counted) = Allocations::measure(|| pipeline.stats());
        gate.wait();
        assert_eq!((stats.threads, stats.open), (8, 8));
        assert_eq!(counted.count, 1, "{counted:?}");
    });
}

/// The allocations of a request over a real socket, which the README states.
#[test]
#[cfg(all(feature = "http", feature = "gzip"))]
fn a_request_over_http_allocates_a_small_steady_number_of_times() {
    use std::io::{Read, Write};
    use zerospan_export::{Compression, OtlpConfig};

    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    Allocations::assert_counted();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // A collector that allocates nothing while it answers.
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut seen = [0_u8; 4096];
        let mut pending = 0_usize;
        let mut head = [0_u8; 1024];
        let mut held = 0;
        while let Ok(read @ 1..) = stream.read(&mut seen) {
            let mut rest = &seen[..read];
            while !rest.is_empty() {
                if pending > 0 {
                    let taken = pending.min(rest.len());
                    pending -= taken;
                    rest = &rest[taken..];
                } else {
                    head[held] = rest[0];
                    held += 1;
                    rest = &rest[1..];
                    if head[..held].ends_with(b"\r\n\r\n") {
                        pending = content_length(&head[..held]);
                        held = 0;
                    }
                }
                if pending == 0 && held == 0 {
                    stream
                        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                        .unwrap();
                }
            }
        }
    });
    let url = format!("http://{address}/v1/traces");
    let config = OtlpConfig::new()
        .with_endpoint(url)
        .with_compression(Compression::Gzip);
    let pipeline = Pipeline::builder().with_otlp(config).build().unwrap();
    let (scope, span) = (scope(), span());
    let mut counts = Vec::new();
    for _ in 0..20 {
        let before = Allocations::all_threads();
        for _ in 0..400 {
            pipeline.record_encoded(&scope, &span).unwrap();
        }
        pipeline.force_flush(LONG).unwrap();
        counts.push(Allocations::all_threads().since(before).count);
    }
    let steady = &counts[10..];
    assert!(steady.iter().all(|&count| count <= 45), "{counts:?}");
}

/// Likewise over gRPC, on the thread that sends and on that of the connection.
#[test]
#[cfg(feature = "grpc")]
fn a_request_over_grpc_allocates_a_small_steady_number_of_times() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    Allocations::assert_counted();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || answer_grpc(listener.accept().unwrap().0));
    let config = zerospan_export::OtlpConfig::new()
        .with_protocol(zerospan_export::Protocol::Grpc)
        .with_endpoint(format!("http://{address}"));
    let pipeline = Pipeline::builder()
        .with_otlp(config)
        .without_worker()
        .build()
        .unwrap();
    let (scope, mut span) = (scope(), Vec::new());
    let mut recorder = recorder();
    recorder.set_attribute(Attribute::new("filler", "x".repeat(250).as_str()));
    recorder.finish(2, &Status::Unset, &mut span);
    let mut counts = Vec::new();
    for _ in 0..20 {
        let before = Allocations::all_threads();
        for _ in 0..400 {
            pipeline.record_encoded(&scope, &span).unwrap();
        }
        pipeline.force_flush(LONG).unwrap();
        counts.push(Allocations::all_threads().since(before).count);
    }
    assert_eq!(pipeline.stats().requests, 20);
    let steady = &counts[10..];
    assert!(steady.iter().all(|&count| count <= 45), "{counts:?}");
}

/// Answers each request over HTTP/2 with an empty response of gRPC. Allocates nothing.
#[cfg(feature = "grpc")]
fn answer_grpc(mut stream: std::net::TcpStream) {
    use std::io::{Read, Write};
    // `:status 200`, `content-type: application/grpc`; then a message without content; then `grpc-status: 0`.
    const HEAD: &[u8] = b"\x88\x00\x0ccontent-type\x10application/grpc";
    const STATUS: &[u8] = b"\x00\x0bgrpc-status\x010";
    let mut out = [0_u8; 256];
    let mut frame =
        |kind: u8, flags: u8, id: [u8; 4], payload: &[u8], to: &mut std::net::TcpStream| {
            let len = u8::try_from(payload.len()).unwrap();
            out[..9].copy_from_slice(&[0, 0, len, kind, flags, id[0], id[1], id[2], id[3]]);
            out[9..9 + payload.len()].copy_from_slice(payload);
            to.write_all(&out[..9 + payload.len()]).unwrap();
        };
    let mut preface = [0; 24];
    stream.read_exact(&mut preface).unwrap();
    // SETTINGS: a window of 16 MiB for each request.
    frame(4, 0, [0; 4], &[0, 4, 1, 0, 0, 0], &mut stream);
    let (mut head, mut payload) = ([0; 9], vec![0; 1 << 16]);
    while stream.read_exact(&mut head).is_ok() {
        let len = usize::from(head[1]) << 8 | usize::from(head[2]);
        stream.read_exact(&mut payload[..len]).unwrap();
        let id = [head[5], head[6], head[7], head[8]];
        match (head[3], head[4] & 1) {
            (4, 0) => frame(4, 1, [0; 4], b"", &mut stream),
            (0, is_last) => {
                if len > 0 {
                    // The window of the connection.
                    frame(8, 0, [0; 4], &[0, 0, head[1], head[2]], &mut stream);
                }
                if is_last == 1 {
                    frame(1, 4, id, HEAD, &mut stream);
                    frame(0, 0, id, &[0; 5], &mut stream);
                    frame(1, 5, id, STATUS, &mut stream);
                }
            }
            _ => {}
        }
    }
}

#[cfg(all(feature = "http", feature = "gzip"))]
fn content_length(head: &[u8]) -> usize {
    let text = std::str::from_utf8(head).unwrap();
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap()
}
