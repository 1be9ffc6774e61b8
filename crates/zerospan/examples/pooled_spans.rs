//! An async request handler that takes its span records from a pool, and passes each to an exporter.
//!
//! `cargo run -p zerospan --features pool,sdk --example pooled_spans`
#![allow(clippy::print_stdout)]

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, TraceFlags, TraceId, TraceState};
use std::time::SystemTime;
use zerospan::pool::{PooledSpan, SpanPool};

/// Handles one request and returns its span, which goes back to the pool when the exporter is done with it.
async fn handle(pool: &SpanPool, request: u64) -> PooledSpan<'_> {
    let mut span = pool.acquire();
    span.span_context = SpanContext::new(
        TraceId::from(u128::from(request)),
        SpanId::from(request),
        TraceFlags::SAMPLED,
        false,
        TraceState::NONE,
    );
    span.name = "GET /cart".into();
    span.span_kind = SpanKind::Server;
    span.start_time = SystemTime::now();

    tokio::task::yield_now().await;

    span.attributes
        .push(KeyValue::new("http.request.method", "GET"));
    span.attributes
        .push(KeyValue::new("http.response.status_code", 200));
    span.end_time = SystemTime::now();
    span
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let pool = SpanPool::new(8);
    let mut exported = 0;
    for request in 1..=100 {
        let span = handle(&pool, request).await;
        // An exporter would encode it here; then the guard is dropped, and the span is reset and kept.
        exported += span.attributes.len();
        assert!(span.end_time >= span.start_time);
    }
    let stats = pool.stats();
    assert_eq!((exported, stats.misses), (200, 0));
    assert_eq!(
        pool.acquire().name,
        "",
        "nothing of the last request is left"
    );
    println!(
        "100 spans, {} of them recycled, {} created",
        stats.hits, stats.misses
    );
}
