//! The blocks that are on by default, beside any tracer: shared attributes, three more attributes, formatted text.
//!
//! `cargo run -p zerospan --example blocks_alone`
#![allow(clippy::print_stdout)]

use opentelemetry::KeyValue;
use zerospan::attributes::{Overlay, SharedAttributes};
use zerospan::core::dev::{Allocations, CountingAllocator};
use zerospan::core::{Attribute, AttributeSink, SinkError};
use zerospan::stack::{InlineAttributes, StackSpanBuilder};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

/// Stands for an encoder: reads every attribute where it is.
#[derive(Default)]
struct Encoder(usize);

impl AttributeSink for Encoder {
    fn push_attribute(&mut self, _attribute: Attribute<'_>) -> Result<(), SinkError> {
        self.0 += 1;
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let service = SharedAttributes::new([
        KeyValue::new("service.name", "checkout"),
        KeyValue::new("deployment.environment.name", "production"),
    ]);

    Allocations::assert_counted();
    let (encoded, allocations) = Allocations::measure(|| {
        let mut known: Overlay<_, KeyValue, 3> = service.overlay();
        _ = known.try_set(KeyValue::new("http.request.method", "GET"));
        let mut formatted = InlineAttributes::<4, 128>::new();
        formatted.try_push("url.path", ("/users/", 42_u64))?;
        formatted.try_push_value("http.response.status_code", 200)?;

        let mut encoder = Encoder::default();
        encoder.push_all(&known)?;
        encoder.push_all(&formatted)?;
        Ok::<_, Box<dyn std::error::Error>>(encoder.0)
    });
    let (encoded, count) = (encoded?, allocations.count);
    println!("{encoded} attributes, {count} allocations");
    assert_eq!((encoded, count), (5, 0));

    // With the official API a builder must end in a vector: one allocation, of exactly its size.
    let (_builder, allocations) = Allocations::measure(|| {
        StackSpanBuilder::new("GET /users/{id}")
            .with_attribute("http.request.method", "GET")
            .into_span_builder()
    });
    assert_eq!(allocations.count, 1);
    Ok(())
}
