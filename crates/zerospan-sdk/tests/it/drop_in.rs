use crate::support::{decode, in_memory, in_memory_without_worker, names, official, sorted};
use opentelemetry::trace::{
    Link, Span, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId,
    TraceState, Tracer, TracerProvider,
};
use opentelemetry::{Context, InstrumentationScope, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::trace::{
    BatchSpanProcessor, InMemorySpanExporter, SamplingDecision, SamplingResult, SdkTracerProvider,
    ShouldSample, SimpleSpanProcessor,
};
use std::future::Future;
use std::time::Duration;
use zerospan_export::{
    BatchConfig, DropCause, ExportResponse, Pipeline, Request, SendError, Transport,
};
use zerospan_sdk::{
    OtlpSpanExporter, OtlpSpanProcessor, RecycledBuilder, recycled_attributes, recycled_events,
    recycled_links,
};

fn resource() -> Resource {
    Resource::builder_empty()
        .with_schema_url(
            [
                KeyValue::new("service.name", "shop"),
                KeyValue::new("replicas", 3),
            ],
            "https://opentelemetry.io/schemas/1.30.0",
        )
        .build()
}

fn remote_context() -> SpanContext {
    SpanContext::new(
        TraceId::from(7),
        SpanId::from(8),
        TraceFlags::SAMPLED,
        true,
        TraceState::from_key_value([("vendor", "x")]).unwrap(),
    )
}

/// Records spans of two scopes, with values in every field.
fn work(provider: &SdkTracerProvider) {
    let plain = provider.tracer("plain");
    let full = provider.tracer_with_scope(
        InstrumentationScope::builder("full")
            .with_version("1.2.3")
            .with_schema_url("https://example.com/schema")
            .with_attributes([KeyValue::new("scope.key", "scope value")])
            .build(),
    );
    for round in 0..20_i64 {
        plain.start("short").end();
        let parent = Context::new().with_remote_span_context(remote_context());
        let mut span = full
            .span_builder(format!("long {round}"))
            .with_kind(SpanKind::Consumer)
            .with_recycled_attributes([KeyValue::new("round", round), KeyValue::new("half", 0.5)])
            .with_recycled_events()
            .with_recycled_links([Link::new(
                remote_context(),
                vec![KeyValue::new("why", "test")],
                0,
            )])
            .start_with_context(&full, &parent);
        span.set_attribute(KeyValue::new("text", String::from("owned")));
        span.add_event("event", vec![KeyValue::new("in.event", true)]);
        span.set_status(Status::error("broken"));
        span.end();
    }
}

#[test]
fn the_processor_sends_what_the_official_transform_builds() {
    let (memory, pipeline) = in_memory();
    let reference = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(OtlpSpanProcessor::new(pipeline))
        .with_span_processor(SimpleSpanProcessor::new(reference.clone()))
        .with_resource(resource())
        .build();
    work(&provider);
    provider.force_flush().unwrap();
    let ours = decode(&memory.take());
    let theirs = official(reference.get_finished_spans().unwrap(), &resource());
    assert_eq!(
        theirs[0]
            .scope_spans
            .iter()
            .map(|scope| scope.spans.len())
            .sum::<usize>(),
        40
    );
    assert_eq!(sorted(ours), sorted(theirs));
}

#[test]
fn the_exporter_sends_what_the_official_transform_builds() {
    let (memory, pipeline) = in_memory_without_worker();
    let reference = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(BatchSpanProcessor::builder(OtlpSpanExporter::new(pipeline)).build())
        .with_span_processor(SimpleSpanProcessor::new(reference.clone()))
        .with_resource(resource())
        .build();
    work(&provider);
    provider.force_flush().unwrap();
    let ours = decode(&memory.take());
    let theirs = official(reference.get_finished_spans().unwrap(), &resource());
    assert_eq!(sorted(ours), sorted(theirs));
    provider.shutdown().unwrap();
}

/// Decides by the span's name; samples all other spans.
#[derive(Clone, Debug)]
struct ByName;

impl ShouldSample for ByName {
    fn should_sample(
        &self,
        _: Option<&Context>,
        _: TraceId,
        name: &str,
        _: &SpanKind,
        _: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        SamplingResult {
            decision: match name {
                "recorded" => SamplingDecision::RecordOnly,
                "dropped" => SamplingDecision::Drop,
                _ => SamplingDecision::RecordAndSample,
            },
            attributes: Vec::new(),
            trace_state: TraceState::default(),
        }
    }
}

#[test]
fn spans_that_are_not_sampled_are_not_exported() {
    let (processed, pipeline) = in_memory();
    let (exported, for_exporter) = in_memory_without_worker();
    let exporter = OtlpSpanExporter::new(for_exporter);
    let provider = SdkTracerProvider::builder()
        .with_sampler(ByName)
        .with_span_processor(OtlpSpanProcessor::new(pipeline))
        .with_span_processor(BatchSpanProcessor::builder(exporter).build())
        .build();
    let tracer = provider.tracer("sampling");
    for name in ["sampled", "recorded", "dropped"] {
        tracer.start(name).end();
    }
    provider.force_flush().unwrap();
    assert_eq!(names(&processed.take()), ["sampled"]);
    assert_eq!(names(&exported.take()), ["sampled"]);
}

#[test]
fn the_vectors_of_a_finished_span_are_reused_empty_with_their_capacity() {
    let (_, pipeline) = in_memory();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(OtlpSpanProcessor::new(pipeline))
        .build();
    let tracer = provider.tracer("recycling");
    // Vectors are kept after the first call.
    let _ = (recycled_attributes(), recycled_events(), recycled_links());
    let attributes: Vec<KeyValue> = (0..20).map(|number| KeyValue::new("key", number)).collect();
    let mut builder = tracer.span_builder("span").with_attributes(attributes);
    builder.events = Some(Vec::with_capacity(10));
    builder.links = Some(Vec::with_capacity(10));
    let mut span = builder.start(&tracer);
    span.add_event("event", Vec::new());
    span.add_link(remote_context(), Vec::new());
    span.end();
    let (attributes, events, links) = (recycled_attributes(), recycled_events(), recycled_links());
    assert!(attributes.is_empty() && attributes.capacity() >= 20);
    assert!(events.is_empty() && events.capacity() >= 10);
    assert!(links.is_empty() && links.capacity() >= 10);
}

/// Rejects every request.
struct Refusing;

impl Transport for Refusing {
    fn send(&mut self, _: &Request<'_>) -> Result<ExportResponse, SendError> {
        Err(SendError::refused("not here"))
    }
}

#[test]
fn undelivered_spans_are_an_error_of_flush_and_shutdown() {
    let pipeline = || {
        Pipeline::builder()
            .with_transport(|| Ok(Refusing))
            .build()
            .unwrap()
    };
    let for_processor = pipeline();
    let watch = for_processor.watch();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(OtlpSpanProcessor::new(for_processor))
        .build();
    let tracer = provider.tracer("errors");
    tracer.start("one").end();
    assert!(provider.force_flush().is_err());
    tracer.start("two").end();
    assert!(provider.shutdown().is_err());
    assert!(matches!(
        provider.shutdown(),
        Err(OTelSdkError::AlreadyShutdown)
    ));
    let stats = watch.stats();
    assert!(stats.is_balanced());
    assert_eq!(
        (stats.recorded, stats.dropped.by(DropCause::Refused)),
        (2, 2)
    );

    let exporter = OtlpSpanExporter::new(pipeline());
    let watch = exporter.pipeline().watch();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(BatchSpanProcessor::builder(exporter).build())
        .build();
    provider.tracer("errors").start("three").end();
    assert!(provider.force_flush().is_err());
    assert_eq!(watch.stats().dropped.by(DropCause::Refused), 1);
}

#[test]
fn finished_spans_are_delivered_when_the_provider_is_dropped_without_a_shutdown() {
    let (processed, for_processor) = in_memory();
    let (exported, for_exporter) = in_memory_without_worker();
    let watches = [for_processor.watch(), for_exporter.watch()];
    let exporter = OtlpSpanExporter::new(for_exporter);
    let provider = SdkTracerProvider::builder()
        .with_span_processor(OtlpSpanProcessor::new(for_processor))
        .with_span_processor(BatchSpanProcessor::builder(exporter).build())
        .build();
    provider.tracer("dropped").start("last").end();
    drop(provider);
    assert_eq!(names(&processed.take()), ["last"]);
    assert_eq!(names(&exported.take()), ["last"]);
    for stats in watches.map(|watch| watch.stats()) {
        assert!(stats.is_balanced());
        assert_eq!((stats.recorded, stats.delivered), (1, 1));
    }
}

#[test]
fn a_batch_larger_than_the_pipelines_queue_is_sent_in_parts() {
    use opentelemetry_sdk::trace::BatchConfigBuilder;
    let memory = zerospan_export::InMemoryTransport::new();
    let mut small = BatchConfig::default();
    small.max_queue_size = Some(50);
    small.max_export_batch_size = Some(20);
    let pipeline = Pipeline::builder()
        .with_transport(memory.clone())
        .with_batch(small)
        .build()
        .unwrap();
    let exporter = OtlpSpanExporter::new(pipeline).with_export_timeout(Duration::from_secs(5));
    let batch = BatchConfigBuilder::default()
        .with_max_export_batch_size(500)
        .build();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(
            BatchSpanProcessor::builder(exporter)
                .with_batch_config(batch)
                .build(),
        )
        .build();
    let tracer = provider.tracer("large");
    for _ in 0..400 {
        tracer.start("span").end();
    }
    provider.force_flush().unwrap();
    assert_eq!(names(&memory.take()).len(), 400);
}

/// Exports a batch of 512 spans, with texts of `sizes` bytes in turn, with a pipeline of the minimum memory.
fn export_with_minimum_memory(sizes: &[usize]) -> (usize, opentelemetry_sdk::error::OTelSdkResult) {
    use opentelemetry_sdk::trace::SpanExporter;
    let reference = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(SimpleSpanProcessor::new(reference.clone()))
        .build();
    let tracer = provider.tracer("large");
    for bytes in sizes.iter().cycle().take(512) {
        let mut span = tracer.start("span");
        span.set_attribute(KeyValue::new("text", "x".repeat(*bytes)));
        span.end();
    }
    let memory = zerospan_export::InMemoryTransport::new();
    let mut least = BatchConfig::default();
    least.max_memory_bytes = least.max_request_bytes + 4 * least.chunk_bytes;
    let pipeline = Pipeline::builder()
        .with_transport(memory.clone())
        .with_batch(least)
        .without_worker()
        .build()
        .unwrap();
    let exporter = OtlpSpanExporter::new(pipeline);
    let spans = reference.get_finished_spans().unwrap();
    let mut exported = std::pin::pin!(exporter.export(spans));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(outcome) = exported.as_mut().poll(&mut context) else {
        panic!("the export future is not ready at once");
    };
    (names(&memory.take()).len(), outcome)
}

#[test]
fn the_minimum_memory_holds_every_batch_of_the_official_processor() {
    for bytes in [20, 2 << 10, 20 << 10] {
        let (arrived, outcome) = export_with_minimum_memory(&[bytes]);
        assert!(outcome.is_ok(), "{bytes} bytes: {outcome:?}");
        assert_eq!(arrived, 512, "{bytes} bytes");
    }
}

#[test]
fn spans_larger_than_a_chunk_and_small_ones_all_arrive_through_the_minimum_memory() {
    for sizes in [
        &[60 << 10][..],
        &[100 << 10],
        &[120 << 10],
        &[20, 100 << 10, 2 << 10, 120 << 10, 50 << 10],
        &[50 << 10, 20, 120 << 10],
    ] {
        let (arrived, outcome) = export_with_minimum_memory(sizes);
        assert!(outcome.is_ok(), "{sizes:?}: {outcome:?}");
        assert_eq!(arrived, 512, "{sizes:?}");
    }
}

#[test]
fn spans_that_exceed_the_memory_are_an_error_of_the_export() {
    let (arrived, outcome) = export_with_minimum_memory(&[300 << 10]);
    assert_eq!(arrived, 0);
    let message = outcome.unwrap_err().to_string();
    assert!(message.contains("rejected 512 spans"), "{message}");
}

#[test]
fn processor_and_exporter_read_the_same_environment() {
    // No variable is set: the memory alone limits the queue.
    let processor = OtlpSpanProcessor::from_env().unwrap();
    let exporter = OtlpSpanExporter::from_env().unwrap();
    for stats in [processor.pipeline().stats(), exporter.pipeline().stats()] {
        assert_eq!(stats.queue_capacity, None);
    }
}

#[test]
fn processor_and_exporter_read_the_same_variables_and_return_the_invalid_ones() {
    let lookup = |name: &str| match name {
        "OTEL_BSP_MAX_QUEUE_SIZE" => Some("4096".to_owned()),
        "OTEL_BSP_SCHEDULE_DELAY" => Some("soon".to_owned()),
        _ => None,
    };
    let (processor, of_processor) = OtlpSpanProcessor::from_vars(lookup).unwrap();
    let (exporter, of_exporter) = OtlpSpanExporter::from_vars(lookup).unwrap();
    assert_eq!((of_processor.len(), of_exporter.len()), (1, 1));
    for stats in [processor.pipeline().stats(), exporter.pipeline().stats()] {
        assert_eq!(stats.queue_capacity, Some(4096));
    }
}
