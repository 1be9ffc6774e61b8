//! The official SDK with our processor: one line of set-up changes. `OTEL_EXPORTER_OTLP_ENDPOINT` is the URL of the collector.
//!
//! `cargo run -p zerospan --features sdk,http --example under_the_official_sdk`
#![allow(clippy::print_stdout)]

use opentelemetry::KeyValue;
use opentelemetry::trace::{Span, Tracer, TracerProvider};
use opentelemetry_sdk::trace::SdkTracerProvider;
use zerospan::sdk::{OtlpSpanProcessor, RecycledBuilder};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let provider = SdkTracerProvider::builder()
        .with_span_processor(OtlpSpanProcessor::from_env()?)
        .build();

    let tracer = provider.tracer("checkout");
    for user in 0..3 {
        let mut span = tracer
            .span_builder("GET /users/{id}")
            // Optional: the vector of a span that was exported serves the next.
            .with_recycled_attributes([KeyValue::new("http.request.method", "GET")])
            .start(&tracer);
        span.set_attribute(KeyValue::new("enduser.id", user));
        span.end();
    }
    provider.force_flush()?;
    provider.shutdown()?;
    println!("3 spans of the official SDK were delivered");
    Ok(())
}
