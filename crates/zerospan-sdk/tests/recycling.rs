//! On its own: the vectors that are kept are the whole process's, and other tests' would be among them.

use opentelemetry::trace::{Span, Tracer, TracerProvider};
use opentelemetry_sdk::trace::{BatchSpanProcessor, SdkTracerProvider};
use zerospan_export::{InMemoryTransport, Pipeline};
use zerospan_sdk::{OtlpSpanExporter, recycled_attributes};

#[test]
fn vectors_of_spans_that_another_thread_exports_come_back_as_well() {
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
    // Vectors are kept once someone has asked for one.
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
    // All but those that the exporting thread keeps for itself.
    assert!(back > 300, "{back}");
}
