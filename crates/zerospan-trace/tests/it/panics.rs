//! Panics of user code: nothing is lost to them, and nothing else fails.

use crate::support::{Rig, builder, pipeline, spans};
use opentelemetry::trace::{
    Link, SpanId, SpanKind, TraceId, TraceState, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{IdGenerator, SamplingResult, ShouldSample};
use std::cell::RefCell;
use std::error::Error;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use zerospan_trace::{Clock, FinishedSpan, Processor, ProcessorError, ProviderError, Span};

/// A payload whose drop panics, with another one.
struct Grenade;

impl Drop for Grenade {
    fn drop(&mut self) {
        resume_unwind(Box::new(Self));
    }
}

fn explode() -> ! {
    resume_unwind(Box::new(Grenade));
}

/// Panics wherever it is called, and when it is dropped.
#[derive(Debug, Default)]
struct Hostile(Arc<AtomicUsize>);

impl Hostile {
    fn explode(&self) -> ! {
        self.0.fetch_add(1, Ordering::SeqCst);
        explode();
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.explode();
    }
}

impl Processor for Hostile {
    fn on_start(&self, _: &mut Span, _: &Context) {
        self.explode();
    }

    fn on_ending(&self, _: &mut Span) {
        self.explode();
    }

    fn on_end(&self, _: &FinishedSpan<'_>) {
        self.explode();
    }

    fn set_resource(&mut self, _: &Resource) {
        self.explode();
    }

    fn force_flush(&self, _: Duration) -> Result<(), ProcessorError> {
        self.explode();
    }

    fn shutdown(&self, _: Duration) -> Result<(), ProcessorError> {
        self.explode();
    }
}

#[test]
fn a_processor_that_panics_everywhere_loses_no_span_and_its_shutdown_is_an_error() {
    let calls = Arc::new(AtomicUsize::new(0));
    let (pipeline, memory) = pipeline();
    let provider = builder()
        .with_processor(Hostile(Arc::clone(&calls)))
        .with_exporter(pipeline.clone())
        .with_processor(Hostile(Arc::clone(&calls)))
        .build();
    assert_eq!(calls.load(Ordering::SeqCst), 2, "set_resource");
    let tracer = provider.tracer("test");
    drop(tracer.span("first").start());
    let flushed = provider.force_flush().expect_err("both panicked");
    let cause = flushed.source().expect("a cause").to_string();
    assert!(cause.contains("panicked"), "{cause}");
    drop(tracer.span("second").start());
    let shut_down = provider.shutdown().expect_err("both panicked");
    assert!(matches!(shut_down, ProviderError::Processor(_)));
    assert_eq!(spans(&memory).len(), 2);
    let stats = pipeline.stats();
    assert_eq!((stats.delivered, stats.pending()), (2, 0));
    assert!(pipeline.record_encoded(&scope(), b"").is_err(), "shut down");
    assert!(matches!(
        provider.shutdown(),
        Err(ProviderError::AlreadyShutDown)
    ));
    assert!(provider.stats().is_balanced());
    assert_eq!(calls.load(Ordering::SeqCst), 2 + 2 * 2 * 3 + 2 + 2);
    drop((tracer, provider));
}

fn scope() -> zerospan_export::Scope {
    zerospan_export::Scope::new(&opentelemetry::InstrumentationScope::builder("test").build())
}

#[test]
fn processors_that_panic_when_they_are_dropped_end_no_thread_that_held_them_last() {
    thread_local! {
        static HELD: RefCell<Option<Span>> = const { RefCell::new(None) };
    }
    let calls = Arc::new(AtomicUsize::new(0));
    let (first, second) = (Arc::clone(&calls), Arc::clone(&calls));
    let rig = Rig::with(|builder| {
        builder
            .with_processor(Hostile(first))
            .with_processor(Hostile(second))
    });
    let (used, go_on) = (std::sync::Barrier::new(2), std::sync::Barrier::new(2));
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            HELD.set(Some(rig.tracer.span("ends with its thread").start()));
            used.wait();
            go_on.wait();
        });
        used.wait();
        rig.provider.shutdown().expect_err("both panicked");
        go_on.wait();
        thread.join().expect("the thread ends");
    });
    let before = calls.load(Ordering::SeqCst);
    drop(rig);
    std::thread::spawn(|| drop(Rig::new().tracer.span("sweeps").start()))
        .join()
        .expect("the thread ends");
    assert!(calls.load(Ordering::SeqCst) <= before + 2);
}

impl ShouldSample for Hostile {
    fn should_sample(
        &self,
        _: Option<&Context>,
        _: TraceId,
        name: &str,
        _: &SpanKind,
        _: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        if name == "panics" {
            self.explode();
        }
        SamplingResult {
            decision: opentelemetry_sdk::trace::SamplingDecision::RecordAndSample,
            attributes: Vec::new(),
            trace_state: TraceState::NONE,
        }
    }
}

impl Clone for Hostile {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl IdGenerator for Hostile {
    fn new_trace_id(&self) -> TraceId {
        self.explode();
    }

    fn new_span_id(&self) -> SpanId {
        self.explode();
    }
}

#[test]
fn a_span_starts_and_ends_although_sampler_ids_and_clock_panic() {
    let rig = Rig::with(|builder| {
        builder
            .with_sampler(Hostile::default())
            .with_id_generator(Hostile::default())
            .with_clock(Clock::from_fn(|| explode()))
    });
    let dropped = rig.tracer.start("panics");
    let sampled = rig.tracer.start("sampled");
    drop((dropped, sampled));
    let span = rig.only_span();
    assert_eq!(span.name, "sampled");
    assert!(span.trace_id.iter().any(|byte| *byte != 0));
    assert!(span.start_time_unix_nano > 1_700_000_000_000_000_000);
    let stats = rig.provider.stats();
    assert_eq!((stats.sampled, stats.not_recorded, stats.open), (1, 1, 0));
    assert!(stats.is_balanced());
    drop(rig);
}
