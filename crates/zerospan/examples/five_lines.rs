//! Tracing to a collector: five lines of set-up. `OTEL_EXPORTER_OTLP_ENDPOINT` is the URL of the collector.
//!
//! `cargo run -p zerospan --features trace,http --example five_lines`

use opentelemetry::trace::{Span, Tracer, TracerProvider as _};
use zerospan::export::PipelineBuilder;
use zerospan::trace::TracerProviderBuilder;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pipeline = PipelineBuilder::from_env().build()?;
    let provider = TracerProviderBuilder::from_env()
        .with_exporter(pipeline)
        .build();
    let tracer = provider.tracer("checkout");
    opentelemetry::global::set_tracer_provider(provider.clone());

    // Through OpenTelemetry's own traits, here or in any library that uses them.
    let mut span = tracer.start("GET /cart");
    span.set_attribute(opentelemetry::KeyValue::new("cart.items", 3));
    span.end();

    // At the end of the process: an error if a span was not delivered.
    provider.shutdown()?;
    Ok(())
}
