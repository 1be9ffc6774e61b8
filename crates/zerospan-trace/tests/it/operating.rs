//! The statements of `docs/operating.md` about a provider's counts and settings.

use crate::support::{Rig, builder, value};
use opentelemetry::Context;
use opentelemetry::KeyValue;
use opentelemetry::trace::{
    Link, Span as _, SpanKind, TraceContextExt, TraceId, TraceState, Tracer as _,
    TracerProvider as _,
};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use zerospan_export::{
    DropCause, ExportResponse, InMemoryTransport, Pipeline, Request, SendError, Transport,
};
use zerospan_trace::{Processor, ProcessorError, StaticKey, TraceStats};

/// Decides by the name of a span.
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
                "sampled" => SamplingDecision::RecordAndSample,
                "record only" => SamplingDecision::RecordOnly,
                _ => SamplingDecision::Drop,
            },
            attributes: Vec::new(),
            trace_state: TraceState::NONE,
        }
    }
}

#[track_caller]
fn assert_sums(stats: &TraceStats) {
    assert_eq!(
        stats.started,
        stats.sampled + stats.record_only + stats.not_recorded + stats.refused,
        "{stats:?}"
    );
    assert_eq!(stats.sampled, stats.open + stats.exports[0].recorded);
    assert!(stats.is_balanced(), "{stats:?}");
}

#[test]
fn every_span_is_in_one_count_from_its_start_to_its_end() {
    let rig = Rig::with(|builder| builder.with_sampler(ByName));
    let start = |name| rig.tracer.span(name).start();
    let sampled = [start("sampled"), start("sampled"), start("sampled")];
    let record_only = [start("record only"), start("record only")];
    drop(start("dropped"));
    let stats = rig.provider.stats();
    assert_sums(&stats);
    assert_eq!((stats.started, stats.sampled, stats.open), (6, 3, 3));
    assert_eq!((stats.record_only, stats.record_only_open), (2, 2));
    assert_eq!((stats.not_recorded, stats.refused), (1, 0));
    drop((sampled, record_only));
    let stats = rig.provider.stats();
    assert_sums(&stats);
    assert_eq!((stats.open, stats.record_only_open), (0, 0));
    assert_eq!((stats.exports[0].recorded, stats.threads), (3, 1));
    rig.provider.shutdown().expect("delivered");
    drop(start("sampled"));
    let stats = rig.provider.stats();
    assert_sums(&stats);
    assert_eq!((stats.started, stats.refused), (7, 1));
}

#[test]
fn a_span_in_a_context_is_open_until_the_context_is_dropped() {
    let rig = Rig::new();
    let context = Context::new().with_span(rig.tracer.start("held"));
    let kept = context.clone();
    drop(context);
    assert_eq!(rig.provider.stats().open, 1);
    drop(kept);
    let stats = rig.provider.stats();
    assert_eq!((stats.open, stats.exports[0].recorded), (0, 1));
}

#[test]
fn a_limit_on_the_length_of_values_keeps_a_span_below_the_size_of_a_request() {
    const TEXT: StaticKey = StaticKey::new("text");
    let text = "x".repeat(5 << 20);
    let record = |rig: &Rig| {
        let mut span = rig.tracer.span("large").start();
        span.set(&TEXT, &text);
        span.end();
        rig.provider.stats().exports[0]
            .dropped
            .by(DropCause::TooLarge)
    };
    let rig = Rig::new();
    assert_eq!(record(&rig), 1);
    let rig = Rig::with(|builder| builder.with_max_attribute_value_length(Some(4096)));
    assert_eq!(record(&rig), 0);
    assert_eq!(value(&rig.only_span().attributes, "text").len(), 4096);
}

/// Takes no request while the gate is locked.
#[derive(Clone, Default)]
struct Gated(Arc<Mutex<()>>);

impl Transport for Gated {
    fn send(&mut self, _: &Request<'_>) -> Result<ExportResponse, SendError> {
        drop(self.0.lock().expect("no panic"));
        Ok(ExportResponse::ALL)
    }
}

#[test]
fn the_default_memory_holds_some_eighty_thousand_spans_of_eight_attributes() {
    let attributes = [
        KeyValue::new("http.request.method", "GET"),
        KeyValue::new("url.path", "/cart/1234567"),
        KeyValue::new("url.scheme", "https"),
        KeyValue::new("server.address", "shop.example.com"),
        KeyValue::new("server.port", 443),
        KeyValue::new("http.response.status_code", 200),
        KeyValue::new("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64)"),
        KeyValue::new("network.protocol.version", "1.1"),
    ];
    let gate = Gated::default();
    let transport = gate.clone();
    let pipeline = Pipeline::builder()
        .with_transport(move || Ok(transport.clone()))
        .build()
        .expect("valid");
    let provider = builder().with_exporter(pipeline.clone()).build();
    let tracer = provider.tracer("test");
    let closed = gate.0.lock().expect("no panic");
    let mut held = 0;
    while pipeline.stats().dropped.total() == 0 {
        for _ in 0..1000 {
            let mut span = tracer.span("GET /cart/{id}").start();
            span.set_attributes(attributes.clone());
            span.end();
        }
        held = pipeline.stats().pending();
    }
    drop(closed);
    assert!((75_000..95_000).contains(&held), "{held}");
    provider.force_flush().expect("delivered");
    let stats = pipeline.stats();
    let bytes = stats.delivered_bytes / stats.delivered;
    assert!((300..400).contains(&bytes), "{bytes}");
}

#[test]
fn a_flush_and_a_shutdown_have_five_seconds_by_default() {
    #[derive(Debug, Default)]
    struct Timeouts(Arc<Mutex<Vec<Duration>>>);
    impl Processor for Timeouts {
        fn force_flush(&self, timeout: Duration) -> Result<(), ProcessorError> {
            self.0.lock().expect("no panic").push(timeout);
            Ok(())
        }
        fn shutdown(&self, timeout: Duration) -> Result<(), ProcessorError> {
            self.force_flush(timeout)
        }
    }
    let timeouts = Arc::<Mutex<Vec<Duration>>>::default();
    let provider = builder()
        .with_processor(Timeouts(Arc::clone(&timeouts)))
        .build();
    provider.force_flush().expect("nothing to deliver");
    provider.shutdown().expect("nothing to deliver");
    // And where the last handle is dropped.
    drop(
        builder()
            .with_processor(Timeouts(Arc::clone(&timeouts)))
            .build(),
    );
    let timeouts = timeouts.lock().expect("no panic").clone();
    assert_eq!(timeouts.len(), 3);
    let five = Duration::from_secs(4)..=Duration::from_secs(5);
    assert!(
        timeouts.iter().all(|timeout| five.contains(timeout)),
        "{timeouts:?}"
    );
}

#[test]
fn a_sampler_lets_fewer_spans_reach_the_pipeline() {
    let variables = |name: &str| match name {
        "OTEL_TRACES_SAMPLER" => Some("traceidratio".to_owned()),
        "OTEL_TRACES_SAMPLER_ARG" => Some("0.1".to_owned()),
        _ => None,
    };
    let rig = Rig::from_vars(variables);
    for _ in 0..2000 {
        drop(rig.tracer.span("one of many").start());
    }
    let stats = rig.provider.stats();
    assert!((100..400).contains(&stats.exports[0].recorded), "{stats:?}");
    assert_eq!(stats.sampled + stats.not_recorded, 2000);
}

#[test]
fn a_static_tracer_is_never_dropped_and_delivers_when_it_is_shut_down() {
    static TRACER: std::sync::OnceLock<zerospan_trace::Tracer> = std::sync::OnceLock::new();
    let memory = InMemoryTransport::new();
    let pipeline = Pipeline::builder().with_transport(memory.clone()).build();
    let provider = builder().with_exporter(pipeline.expect("valid")).build();
    let tracer = TRACER.get_or_init(|| provider.tracer("static"));
    drop(tracer.span("kept").start());
    let other = provider.clone();
    drop(provider);
    assert!(memory.is_empty());
    other.shutdown().expect("delivered");
    assert_eq!(memory.take().len(), 1);
}
