//! The drop-ins for the official SDK, from the start of a span to OTLP bytes, on all threads.
//!
//! Both sides build spans of 8 attributes through the official tracer. All threads share one core: on two, the placement
//! of the threads decides the figures (decision 0010).
//!
//! With constant texts the SDK allocates only the vector of attributes: `sdk.processor` recycles it on our side, so that
//! any further allocation would be ours; in `sdk.builders` both sides allocate it.

use super::http::attributes;
use crate::clock::Clock;
use crate::comparison::{Budget, Comparison, Row};
use crate::pipelines::{OfficialSdk, agree, build, pipeline};
use crate::sink::Sink;
use opentelemetry::trace::{Span, SpanBuilder, SpanKind, Tracer};
use opentelemetry_sdk::trace::SdkTracer;
use zerospan_sdk::{OtlpSpanExporter, OtlpSpanProcessor, RecycledBuilder};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "sdk.processor",
        peer: "official SDK, batch processor, official transform, prost",
        ours: "official SDK, our processor, recycled attribute vectors",
        budget: Budget::AtLeast(4.0),
        allocations: Some(0.0),
        prepare: || compare(our_processor, recycled),
    },
    Row {
        id: "sdk.builders",
        peer: "official SDK, batch processor, official transform, prost",
        ours: "official SDK, our processor, the caller's own vectors",
        budget: Budget::AtLeast(3.0),
        allocations: Some(1.01),
        prepare: || compare(our_processor, allocated),
    },
    Row {
        id: "sdk.exporter",
        peer: "official SDK, batch processor, official transform, prost",
        ours: "official SDK, batch processor, our exporter",
        budget: Budget::AtLeast(2.5),
        allocations: None,
        prepare: || compare(our_exporter, allocated),
    },
];

/// Four full batches.
const SPANS: u64 = 2_048;
const QUEUE: u64 = 2 * SPANS;

fn compare(ours: fn() -> OfficialSdk, fill: fn(SpanBuilder) -> SpanBuilder) -> Comparison {
    Comparison::on_one_core(|| {
        let (mut peer, mut ours) = (OfficialSdk::new(QUEUE), ours());
        Comparison::new(
            SPANS,
            move || peer.run(|tracer| spans(tracer, allocated)),
            move || ours.run(|tracer| spans(tracer, fill)),
            agree(SPANS),
        )
        .with_clock(Clock::Process)
    })
}

fn our_processor() -> OfficialSdk {
    let sink = Sink::default();
    let pipeline = build(pipeline(&sink, QUEUE));
    let processor = OtlpSpanProcessor::new(pipeline.clone());
    OfficialSdk::with_processor(sink, processor, Some(pipeline))
}

fn our_exporter() -> OfficialSdk {
    OfficialSdk::with_exporter(QUEUE, |sink| {
        OtlpSpanExporter::new(build(pipeline(sink, QUEUE).without_worker()))
    })
}

fn spans(tracer: &SdkTracer, fill: fn(SpanBuilder) -> SpanBuilder) -> u64 {
    for _ in 0..SPANS {
        let builder = tracer
            .span_builder("GET /users/{id}")
            .with_kind(SpanKind::Server);
        fill(builder).start(tracer).end();
    }
    SPANS
}

fn allocated(builder: SpanBuilder) -> SpanBuilder {
    builder.with_attributes(attributes())
}

fn recycled(builder: SpanBuilder) -> SpanBuilder {
    builder.with_recycled_attributes(attributes())
}
