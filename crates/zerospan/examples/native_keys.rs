//! The tracer's own calls: constant keys, borrowed values, nothing on the heap from start to end.
//!
//! `cargo run -p zerospan --features trace,otlp --example native_keys`
#![allow(clippy::print_stdout)]

use opentelemetry::trace::{SpanKind, TracerProvider as _};
use zerospan::core::dev::{Allocations, CountingAllocator};
use zerospan::export::{InMemoryTransport, Pipeline};
use zerospan::otlp::RequestView;
use zerospan::trace::{StaticKey, Tracer, TracerProvider};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

const STATUS: StaticKey = StaticKey::new("http.response.status_code");
const USER: StaticKey = StaticKey::new("enduser.id");
const ROWS: StaticKey = StaticKey::new("db.response.returned_rows");

fn handle(tracer: &Tracer, user: u64) {
    let mut span = tracer
        .span("GET /users/{id}")
        .with_kind(SpanKind::Server)
        .start();
    span.set_fmt(&USER, format_args!("user-{user}"));
    {
        // The parent of what starts on this thread, until the guard is dropped.
        let _entered = span.enter();
        let mut query = tracer.span("SELECT users").start();
        query.set(&ROWS, 1);
        query.event("cache miss", &[("cache.name", "users")]);
    }
    span.set(&STATUS, 200);
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let memory = InMemoryTransport::new();
    let pipeline = Pipeline::builder().with_transport(memory.clone()).build()?;
    let provider = TracerProvider::builder().with_exporter(pipeline).build();
    let tracer = provider.tracer("users");

    // The first spans make the slots and the chunks that all later ones use.
    (0..1000).for_each(|user| handle(&tracer, user));
    provider.force_flush()?;
    Allocations::assert_counted();
    let ((), allocations) =
        Allocations::measure(|| (0..100).for_each(|user| handle(&tracer, user)));
    assert_eq!(allocations.count, 0);

    provider.shutdown()?;
    let requests = memory.take();
    requests
        .iter()
        .try_for_each(|request| RequestView::new(request).validate())?;
    println!(
        "200 spans after the first, {} allocations",
        allocations.count
    );
    Ok(())
}
