//! The span that a record belongs to, and suppression.

use crate::support::Rig;
use opentelemetry::Context;
use opentelemetry::logs::{LogRecord as _, Severity};
use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer as _,
    TracerProvider as _,
};
use std::sync::{Arc, Mutex};
use zerospan_export::{
    ExportResponse, InMemoryTransport, Pipeline, Request, SendError, Signal, Transport,
};
use zerospan_logs::{Logger, LoggerProvider};
use zerospan_trace::TracerProvider;

type Ids = (Vec<u8>, Vec<u8>, u32);

/// Emits a record, and returns trace id, span id and flags of what arrived.
fn ids(rig: &Rig) -> Ids {
    rig.logger.emit(rig.logger.record());
    let record = rig.only_record();
    (record.trace_id, record.span_id, record.flags)
}

fn of(span: &SpanContext) -> Ids {
    let flags = span.trace_flags().to_u8();
    let (trace, span) = (span.trace_id().to_bytes(), span.span_id().to_bytes());
    (trace.to_vec(), span.to_vec(), u32::from(flags))
}

fn tracer() -> zerospan_trace::Tracer {
    let pipeline = Pipeline::builder().with_transport(InMemoryTransport::new());
    let pipeline = pipeline.build().expect("valid");
    let provider = TracerProvider::builder().with_exporter(pipeline).build();
    provider.tracer("test")
}

#[test]
fn a_record_belongs_to_the_later_one_of_entered_span_and_attached_context() {
    let (rig, tracer) = (Rig::new(), tracer());
    assert_eq!(ids(&rig), (vec![], vec![], 0));
    let outer = tracer.start("outer");
    let outer_ids = of(outer.span_context());
    let attached = Context::current_with_span(outer).attach();
    assert_eq!(ids(&rig), outer_ids);
    let native = tracer.span("native").start();
    let entered = native.enter();
    assert_eq!(ids(&rig), of(native.span_context()));
    {
        let inner = tracer.start("inner");
        let inner_ids = of(inner.span_context());
        let _attached = Context::current_with_span(inner).attach();
        assert_eq!(ids(&rig), inner_ids);
    }
    assert_eq!(ids(&rig), of(native.span_context()));
    drop(entered);
    assert_eq!(ids(&rig), outer_ids);
    drop(attached);
    assert_eq!(ids(&rig), (vec![], vec![], 0));
}

#[test]
fn a_span_with_a_trace_state_of_another_process_is_a_span_too() {
    let rig = Rig::new();
    let state = TraceState::from_key_value([("vendor", "value")]).expect("valid");
    let flags = TraceFlags::NOT_SAMPLED;
    let remote = SpanContext::new(TraceId::from(7), SpanId::from(8), flags, true, state);
    let context = Context::new().with_remote_span_context(remote.clone());
    let _attached = context.attach();
    assert_eq!(ids(&rig), of(&remote));
}

#[test]
fn a_record_keeps_the_span_that_it_was_given() {
    let (rig, tracer) = (Rig::new(), tracer());
    let span = tracer.span("current").start();
    let _entered = span.enter();
    let mut record = rig.logger.record();
    record.set_trace_context(TraceId::from(7), SpanId::from(8), None);
    rig.logger.emit(record);
    let record = rig.only_record();
    assert_eq!(record.trace_id, TraceId::from(7).to_bytes());
    assert_eq!(record.flags, 0);
}

#[test]
fn where_telemetry_is_suppressed_nothing_is_enabled_and_records_are_dropped() {
    let rig = Rig::new();
    let is_enabled = || rig.logger.event_enabled(Severity::Fatal, "target", None);
    let emit = || {
        rig.logger.emit(rig.logger.record());
        let mut record = rig.logger.record();
        record.set_trace_context(TraceId::from(7), SpanId::from(8), None);
        rig.logger.emit(record);
    };
    assert!(is_enabled());
    {
        let _suppressed = Context::enter_telemetry_suppressed_scope();
        assert!(!is_enabled());
        emit();
    }
    {
        let _suppressed = zerospan_core::log::suppress_here();
        assert!(!is_enabled());
        emit();
    }
    assert_eq!(rig.records(), []);
    emit();
    assert_eq!(rig.records().len(), 2);
    assert_eq!(rig.provider.stats().exports[0].recorded, 2);
}

/// A transport that logs.
struct Logging(Arc<Mutex<Option<Logger>>>);

impl Transport for Logging {
    fn send(&mut self, _: &Request<'_>) -> Result<ExportResponse, SendError> {
        let logger = self.0.lock().expect("no panic").clone().expect("set");
        assert!(!logger.event_enabled(Severity::Info, "exporter", None));
        logger.emit(logger.record());
        Ok(ExportResponse::ALL)
    }
}

#[test]
fn a_record_made_inside_the_exporter_is_not_exported() {
    for is_inline in [false, true] {
        let shared = Arc::new(Mutex::new(None));
        let cell = Arc::clone(&shared);
        let mut pipeline = Pipeline::builder()
            .with_signal(Signal::Logs)
            .with_transport(move || Ok::<_, SendError>(Logging(Arc::clone(&cell))));
        if is_inline {
            pipeline = pipeline.without_worker();
        }
        let pipeline = pipeline.build().expect("valid");
        let provider = LoggerProvider::builder().with_exporter(pipeline).build();
        let logger = provider.logger("test");
        *shared.lock().expect("no panic") = Some(logger.clone());
        for _ in 0..3 {
            logger.emit(logger.record());
            provider.force_flush().expect("delivered");
        }
        let stats = provider.stats();
        let export = &stats.exports[0];
        assert_eq!((export.recorded, export.delivered), (3, 3), "{stats:?}");
        provider.shutdown().expect("nothing is pending");
        // The transport belongs to the logger's pipeline, and would keep it for ever.
        shared.lock().expect("no panic").take();
    }
}
