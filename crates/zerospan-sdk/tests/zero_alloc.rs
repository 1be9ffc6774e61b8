//! Ending a span does not allocate under `OtlpSpanProcessor`; with recycled vectors, nor do starting and filling it.

use opentelemetry::KeyValue;
use opentelemetry::trace::{Span, Tracer, TracerProvider};
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::time::Duration;
use zerospan_core::dev::{Allocations, CountingAllocator};
use zerospan_export::{ExportResponse, Pipeline, Request, SendError, Transport};
use zerospan_sdk::{OtlpSpanProcessor, RecycledBuilder, recycled_attributes};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

struct Nowhere;

impl Transport for Nowhere {
    fn send(&mut self, _: &Request<'_>) -> Result<ExportResponse, SendError> {
        Ok(ExportResponse::ALL)
    }
}

fn provider() -> (SdkTracerProvider, Pipeline) {
    let pipeline = Pipeline::builder()
        .with_transport(|| Ok(Nowhere))
        .build()
        .unwrap();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(OtlpSpanProcessor::new(pipeline.clone()))
        .build();
    (provider, pipeline)
}

fn attributes() -> [KeyValue; 8] {
    [
        KeyValue::new("http.request.method", "GET"),
        KeyValue::new("url.scheme", "https"),
        KeyValue::new("http.route", "/users/{id}"),
        KeyValue::new("server.address", "shop.example"),
        KeyValue::new("http.response.status_code", 200),
        KeyValue::new("server.port", 8443),
        KeyValue::new("network.protocol.version", "1.1"),
        KeyValue::new("network.peer.encrypted", true),
    ]
}

#[test]
fn ending_a_span_does_not_allocate() {
    Allocations::assert_counted();
    let (provider, pipeline) = provider();
    let tracer = provider.tracer("zero");
    // Vectors are kept after the first call; the pool then grows to 512 within the first rounds.
    let _ = recycled_attributes();
    let mut counted = Allocations::default();
    for round in 0..900 {
        let mut span = tracer
            .span_builder("GET /users/{id}")
            .with_attributes(attributes())
            .start(&tracer);
        let ((), here) = Allocations::measure(|| span.end());
        if round >= 700 {
            counted.count += here.count;
        }
        if round % 50 == 49 {
            pipeline.force_flush(Duration::from_secs(5)).unwrap();
        }
    }
    // The flush returns its chunk to the pool.
    assert_eq!(counted.count, 0);
    assert_eq!(pipeline.stats().delivered, 900);
}

#[test]
fn a_span_of_the_official_sdk_with_a_recycled_vector_does_not_allocate() {
    Allocations::assert_counted();
    let (provider, pipeline) = provider();
    let tracer = provider.tracer("zero");
    let span = || {
        let mut span = tracer
            .span_builder("GET /users/{id}")
            .with_recycled_attributes(attributes())
            .start(&tracer);
        span.end();
    };
    for _ in 0..100 {
        span();
    }
    pipeline.force_flush(Duration::from_secs(5)).unwrap();
    span();
    let ((), counted) = Allocations::measure(|| (0..100).for_each(|_| span()));
    assert_eq!(counted, Allocations::default());
}
