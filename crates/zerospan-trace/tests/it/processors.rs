//! Processors.

use crate::program::ByName;
use crate::support::{Rig, builder, pipeline, spans, value};
use opentelemetry::trace::{Span as _, TraceContextExt, Tracer as _, TracerProvider as _};
use opentelemetry::{Array, Context, KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{
    InMemorySpanExporter, SdkTracerProvider, SimpleSpanProcessor, SpanData, SpanProcessor,
};
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;
use zerospan_export::{ExportResponse, Pipeline, Request, SendError, Transport};
use zerospan_trace::{FinishedSpan, Processor, ProcessorError, Span, StaticKey, Tracer};

#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, line: String) {
        self.0.lock().expect("no panic").push(line);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("no panic"))
    }
}

/// Writes to each span, and records the calls.
#[derive(Debug)]
struct Noting {
    name: &'static str,
    log: Log,
    tracer: Arc<Mutex<Option<Tracer>>>,
}

impl Noting {
    fn new(name: &'static str, log: &Log) -> Self {
        Self {
            name,
            log: log.clone(),
            tracer: Arc::default(),
        }
    }

    fn note(&self, what: &str) {
        self.log.add(format!("{} {what}", self.name));
    }
}

const STARTED: StaticKey = StaticKey::new("started.by");
const ENDING: StaticKey = StaticKey::new("ending.by");

impl Processor for Noting {
    fn on_start(&self, span: &mut Span, parent: &Context) {
        span.set(&STARTED, self.name);
        let parent = if parent.span().span_context().is_valid() {
            "child"
        } else {
            "root"
        };
        self.note(&format!("start {parent}"));
    }

    fn on_ending(&self, span: &mut Span) {
        assert!(span.is_recording());
        span.set(&ENDING, self.name);
        span.end();
        assert!(span.is_recording(), "a processor cannot end the span");
        self.note("ending");
        // A processor may trace too.
        let tracer = self.tracer.lock().expect("no panic").take();
        if let Some(tracer) = tracer {
            drop(tracer.span("by the processor").start());
        }
    }

    fn on_end(&self, span: &FinishedSpan<'_>) {
        let view = span.view().expect("canonical bytes");
        let attributes: Vec<String> = view
            .attributes()
            .map(|attribute| attribute.expect("valid").key.to_owned())
            .collect();
        let name = view.name();
        self.note(&format!("end {name} {} {attributes:?}", span.is_exported()));
    }

    fn set_resource(&mut self, resource: &Resource) {
        assert!(!resource.is_empty());
        self.note("resource");
    }

    fn force_flush(&self, _: Duration) -> Result<(), ProcessorError> {
        self.note("flush");
        Ok(())
    }

    fn shutdown(&self, _: Duration) -> Result<(), ProcessorError> {
        self.note("shutdown");
        Err("will not".into())
    }
}

#[test]
fn processors_are_called_in_order_and_may_write_until_the_end() {
    let log = Log::default();
    let rig = Rig::with(|builder| {
        builder
            .with_processor(Noting::new("first", &log))
            .with_processor(Noting::new("second", &log))
    });
    rig.tracer.in_span("outer", |_| {});
    assert_eq!(
        log.take(),
        [
            "first resource",
            "second resource",
            "first start root",
            "second start root",
            "first ending",
            "second ending",
            "first end outer true [\"started.by\", \"ending.by\"]",
            "second end outer true [\"started.by\", \"ending.by\"]",
        ]
    );
    let span = rig.only_span();
    assert_eq!(value(&span.attributes, "started.by"), "second");
    assert_eq!(value(&span.attributes, "ending.by"), "second");
    assert_eq!(log.take(), ["first flush", "second flush"]);

    let failure = rig.provider.shutdown().expect_err("the processor fails");
    let cause = std::error::Error::source(&failure).expect("the processor's error");
    assert_eq!(cause.to_string(), "will not");
    assert_eq!(log.take(), ["first shutdown", "second shutdown"]);
}

#[test]
fn processors_see_the_native_parent() {
    let log = Log::default();
    let rig = Rig::with(|builder| builder.with_processor(Noting::new("p", &log)));
    let outer = rig.tracer.span("outer").start();
    let _entered = outer.enter();
    log.take();
    drop(rig.tracer.span("inner").start());
    assert_eq!(log.take()[0], "p start child");
}

#[test]
fn a_processor_may_trace() {
    let log = Log::default();
    let noting = Noting::new("p", &log);
    let tracer = Arc::clone(&noting.tracer);
    let rig = Rig::with(|builder| builder.with_processor(noting));
    *tracer.lock().expect("no panic") = Some(rig.tracer.clone());
    drop(rig.tracer.span("outer").start());
    let mut names: Vec<String> = rig.spans().into_iter().map(|span| span.name).collect();
    names.sort();
    assert_eq!(names, ["by the processor", "outer"]);
}

#[test]
fn record_only_spans_reach_processors_and_no_exporter() {
    let log = Log::default();
    let rig = Rig::with(|builder| {
        builder
            .with_sampler(ByName)
            .with_processor(Noting::new("p", &log))
    });
    log.take();
    for name in ["sampled", "record only", "off"] {
        let span = rig.tracer.start(name);
        assert_eq!(span.is_recording(), name != "off");
        assert_eq!(span.span_context().is_sampled(), name == "sampled");
    }
    let ended: Vec<String> = log
        .take()
        .into_iter()
        .filter(|line| line.contains("end "))
        .collect();
    assert_eq!(
        ended,
        [
            "p end sampled true [\"started.by\", \"ending.by\"]",
            "p end record only false [\"started.by\", \"ending.by\"]"
        ]
    );
    assert_eq!(rig.only_span().name, "sampled");
    let stats = rig.provider.stats();
    assert_eq!(
        (
            stats.sampled,
            stats.record_only,
            stats.not_recorded,
            stats.started
        ),
        (1, 1, 1, 3)
    );
}

#[test]
fn each_of_several_exporters_gets_every_span() {
    let (first, first_memory) = pipeline();
    let (second, second_memory) = pipeline();
    let provider = builder().with_exporter(first).with_exporter(second).build();
    let tracer = provider.tracer("test");
    for _ in 0..10 {
        drop(tracer.span("both").start());
    }
    provider.force_flush().expect("delivered");
    assert_eq!(spans(&first_memory).len(), 10);
    assert_eq!(spans(&second_memory).len(), 10);
    assert!(provider.stats().is_balanced());
}

#[test]
fn a_processor_of_the_sdk_gets_the_same_span_as_from_the_official_provider() {
    let fill = |span: &mut dyn FnMut(KeyValue)| {
        span(KeyValue::new("text", "täxt"));
        span(KeyValue::new("number", -7));
        span(KeyValue::new("truth", true));
        span(KeyValue::new("share", 0.5));
        span(KeyValue::new(
            "truths",
            Value::Array(Array::Bool(vec![true, false])),
        ));
        span(KeyValue::new(
            "numbers",
            Value::Array(Array::I64(vec![1, -2])),
        ));
        span(KeyValue::new(
            "shares",
            Value::Array(Array::F64(vec![0.25])),
        ));
        span(KeyValue::new(
            "texts",
            Value::Array(Array::String(vec!["ä".into()])),
        ));
    };
    let (ours, theirs) = (
        InMemorySpanExporter::default(),
        InMemorySpanExporter::default(),
    );
    let provider = builder()
        .with_span_processor(SimpleSpanProcessor::new(ours.clone()))
        .build();
    let official = SdkTracerProvider::builder()
        .with_simple_exporter(theirs.clone())
        .build();
    fn run<T: opentelemetry::trace::Tracer>(tracer: &T, fill: impl Fn(&mut dyn FnMut(KeyValue))) {
        let mut span = tracer.start("work");
        fill(&mut |attribute| span.set_attribute(attribute));
        span.add_event("event", vec![KeyValue::new("k", "v")]);
        span.add_link(span.span_context().clone(), vec![KeyValue::new("k", 1)]);
        span.set_status(opentelemetry::trace::Status::error("why"));
        span.end();
    }
    run(&provider.tracer("test"), fill);
    run(&official.tracer("test"), fill);
    let (ours, theirs) = (
        ours.get_finished_spans().expect("kept"),
        theirs.get_finished_spans().expect("kept"),
    );
    let (ours, theirs) = (&ours[0], &theirs[0]);
    assert_eq!(ours.name, theirs.name);
    assert_eq!(ours.attributes, theirs.attributes);
    assert_eq!(ours.status, theirs.status);
    assert_eq!(ours.span_kind, theirs.span_kind);
    assert_eq!(ours.instrumentation_scope, theirs.instrumentation_scope);
    assert_eq!(ours.events[0].attributes, theirs.events[0].attributes);
    assert_eq!(ours.links[0].attributes, theirs.links[0].attributes);
    assert_eq!(ours.links[0].span_context, ours.span_context);
}

#[test]
fn a_processor_of_the_sdk_is_flushed_and_shut_down_and_its_errors_are_the_providers() {
    #[derive(Debug)]
    struct Failing(Log);
    impl SpanProcessor for Failing {
        fn on_start(&self, _: &mut opentelemetry_sdk::trace::Span, _: &Context) {}
        fn on_end(&self, _: SpanData) {
            self.0.add("end".to_owned());
        }
        fn force_flush(&self) -> OTelSdkResult {
            self.0.add("flush".to_owned());
            Err(OTelSdkError::InternalFailure("cannot flush".to_owned()))
        }
        fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
            self.0.add("shutdown".to_owned());
            Err(OTelSdkError::InternalFailure("cannot end".to_owned()))
        }
    }
    let log = Log::default();
    let provider = builder().with_span_processor(Failing(log.clone())).build();
    drop(provider.tracer("test").span("span").start());
    let flushed = format!("{:?}", provider.force_flush());
    assert!(flushed.contains("cannot flush"), "{flushed}");
    let ended = format!("{:?}", provider.shutdown());
    assert!(ended.contains("cannot end"), "{ended}");
    assert_eq!(log.take(), ["end", "flush", "shutdown"]);
}

#[derive(Debug)]
struct Panicking;

impl Processor for Panicking {
    fn on_start(&self, _: &mut Span, _: &Context) {
        std::panic::resume_unwind(Box::new("on purpose"));
    }

    fn on_ending(&self, _: &mut Span) {
        std::panic::resume_unwind(Box::new("on purpose"));
    }

    fn on_end(&self, _: &FinishedSpan<'_>) {
        std::panic::resume_unwind(Box::new("on purpose"));
    }
}

#[test]
fn a_processor_that_panics_loses_no_span() {
    let log = Log::default();
    let rig = Rig::with(|builder| {
        builder
            .with_processor(Panicking)
            .with_processor(Noting::new("next", &log))
    });
    for _ in 0..3 {
        drop(rig.tracer.span("survives").start());
    }
    assert_eq!(rig.spans().len(), 3);
    assert_eq!(
        log.take().len(),
        1 + 3 * 3 + 1,
        "the next processor is called for everything"
    );
    let stats = rig.provider.stats();
    assert!(stats.is_balanced() && stats.open == 0, "{stats:?}");
}

/// Exceeds every timeout.
#[derive(Debug)]
struct Overrunning;

impl Processor for Overrunning {
    fn force_flush(&self, timeout: Duration) -> Result<(), ProcessorError> {
        std::thread::sleep(timeout + Duration::from_millis(20));
        Err("too slow".into())
    }

    fn shutdown(&self, timeout: Duration) -> Result<(), ProcessorError> {
        self.force_flush(timeout)
    }
}

#[test]
fn spans_are_delivered_although_a_processor_exhausts_the_timeout() {
    let (second, second_memory) = pipeline();
    let rig = Rig::with(|builder| builder.with_processor(Overrunning).with_exporter(second));
    for shutdown in [false, true] {
        for _ in 0..10 {
            drop(rig.tracer.span("ended").start());
        }
        // The pipelines have half of it.
        let timeout = Duration::from_secs(2);
        let answer = if shutdown {
            rig.provider.shutdown_with_timeout(timeout)
        } else {
            rig.provider.force_flush_with_timeout(timeout)
        };
        let failure = answer.expect_err("the processor fails");
        let cause = std::error::Error::source(&failure).expect("the processor's error");
        assert_eq!(cause.to_string(), "too slow");
        for export in rig.provider.stats().exports {
            assert_eq!(export.delivered, if shutdown { 20 } else { 10 });
            assert_eq!(export.dropped.total(), 0);
        }
    }
    assert_eq!(spans(&second_memory).len(), 20);
}

/// A collector that does not respond until the test is over.
struct Silent(Arc<Barrier>);

impl Transport for Silent {
    fn send(&mut self, request: &Request<'_>) -> Result<ExportResponse, SendError> {
        let _ = request;
        self.0.wait();
        Err(SendError::timed_out("no answer"))
    }
}

#[test]
fn a_silent_collector_leaves_time_for_other_exporters_and_processors() {
    #[derive(Debug)]
    struct Given(Arc<Mutex<Duration>>);
    impl Processor for Given {
        fn shutdown(&self, timeout: Duration) -> Result<(), ProcessorError> {
            *self.0.lock().expect("no panic") = timeout;
            Ok(())
        }
    }
    let is_over = Arc::new(Barrier::new(2));
    let of_transport = Arc::clone(&is_over);
    let silent = Pipeline::builder()
        .with_transport(move || Ok(Silent(Arc::clone(&of_transport))))
        .build()
        .expect("valid");
    let (answering, memory) = pipeline();
    let given = Arc::default();
    let provider = builder()
        .with_exporter(silent)
        .with_exporter(answering)
        .with_processor(Given(Arc::clone(&given)))
        .build();
    for _ in 0..10 {
        drop(provider.tracer("test").span("ended").start());
    }
    let timeout = Duration::from_secs(3);
    provider
        .shutdown_with_timeout(timeout)
        .expect_err("one exporter does not deliver");
    assert_eq!(spans(&memory).len(), 10);
    let given = *given.lock().expect("no panic");
    assert!(given > timeout / 8, "{given:?}");
    assert!(provider.stats().is_balanced());
    is_over.wait();
}
