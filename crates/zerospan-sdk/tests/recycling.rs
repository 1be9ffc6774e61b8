//! In a process of its own: recycled vectors are shared by the whole process, other tests included.

use opentelemetry::trace::{Span, Tracer, TracerProvider};
use opentelemetry_sdk::trace::{BatchSpanProcessor, SdkTracerProvider};
use zerospan_export::{InMemoryTransport, Pipeline};
use zerospan_sdk::{OtlpSpanExporter, recycled_attributes};

#[test]
fn vectors_of_spans_exported_on_another_thread_are_recycled() {
    let pipeline = Pipeline::builder()
        .with_transport(InMemoryTransport::new())
        .without_worker()
        .build()
        .unwrap();
    let exporter = OtlpSpanExporter::new(pipeline);
    let provider = SdkTracerProvider::builder()
        .with_span_processor(BatchSpanProcessor::builder(exporter).build())
        .build();
    let tracer = provider.tracer("recycling");
    // Vectors are kept after the first call.
    let _ = recycled_attributes();
    for _ in 0..400 {
        let mut builder = tracer.span_builder("span");
        builder.attributes = Some(Vec::with_capacity(8));
        builder.start(&tracer).end();
    }
    provider.force_flush().unwrap();
    let back = (0..400)
        .filter(|_| recycled_attributes().capacity() == 8)
        .count();
    // All but those that the exporting thread caches.
    assert!(back > 300, "{back}");
}
