//! An async request handler whose attributes live in an arena: one reset frees all of a request.
//!
//! `cargo run -p zerospan --features arena --example arena_per_request`
#![allow(clippy::print_stdout)]

use opentelemetry::trace::{Span, Tracer, TracerProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use zerospan::arena::SpanAttributeArena;

/// Handles one request. Whatever it formats lies in `arena` until the guard is dropped.
async fn handle(arena: &mut SpanAttributeArena, tracer: &impl Tracer, user: u64) -> u16 {
    let mut span = tracer.start("GET /users/{id}");
    let request = arena.guard();
    let status = answer(request.concat(("/users/", user))).await;

    let common =
        request.create_attributes(&[("http.request.method", "GET"), ("url.scheme", "https")]);
    let mut own = request.attributes(3);
    own.push("http.response.status_code", status);
    own.push_concat(("url.path",), ("/users/", user));
    own.push_concat(("enduser.id",), ("user-", user));

    // The official SDK owns its attributes, so this copies them to the heap; an encoder would read them in place.
    for set in [&common, &own.finish()] {
        span.set_attributes(set.to_key_values().unwrap_or_default());
    }
    status
}

/// The service itself: it looks at the path.
async fn answer(path: &str) -> u16 {
    tokio::task::yield_now().await;
    if path == "/users/7" { 404 } else { 200 }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    let tracer = provider.tracer("arena_per_request");

    let mut arena = SpanAttributeArena::with_capacity(4096);
    for user in 1..=100 {
        let status = handle(&mut arena, &tracer, user).await;
        assert_eq!(status == 404, user == 7);
    }

    let spans = exporter.get_finished_spans()?;
    assert!(spans.iter().all(|span| span.attributes.len() == 5));
    assert_eq!(arena.allocated_bytes(), 0, "the last guard reset the arena");
    let (count, bytes) = (spans.len(), arena.capacity());
    println!("{count} spans of 5 attributes, one arena of {bytes} bytes");
    Ok(())
}
