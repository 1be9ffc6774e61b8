//! Code that was written for the official SDK works as before.

use crate::support::{Rig, builder, pipeline};
use opentelemetry::Context;
use opentelemetry::logs::{AnyValue, LogRecord as _, Logger as _, LoggerProvider as _};
use opentelemetry::trace::{Span as _, SpanId, TraceContextExt, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::logs::{InMemoryLogExporter, SdkLoggerProvider};
use opentelemetry_sdk::trace as sdk;
use std::future::Future as _;
use zerospan_export::{Pipeline, SendError};
use zerospan_trace::{
    FutureExt, ParentBased, Sampler, TracerProvider, attach_entered_spans, current_context,
};

#[test]
fn a_boxed_sampler_is_taken_as_the_sdk_takes_it() {
    let boxed = || -> Box<dyn sdk::ShouldSample> { Box::new(sdk::Sampler::AlwaysOff) };
    // As the SDK's own builder.
    let _ = sdk::SdkTracerProvider::builder()
        .with_sampler(boxed())
        .build();
    for builder in [
        builder().with_sampler(boxed()),
        builder().with_sampler(Sampler::parent_based(boxed())),
        builder().with_sampler(ParentBased::new(boxed()).with_local_parent_sampled(boxed())),
        builder().with_sampler(sdk::Sampler::AlwaysOff),
        builder().with_sampler(Sampler::AlwaysOff),
    ] {
        let provider = builder.build();
        let span = provider.tracer("test").start("span");
        assert!(!span.span_context().is_sampled());
    }
}

#[test]
fn a_question_mark_converts_into_the_sdks_error() {
    fn shut_down(provider: &TracerProvider) -> OTelSdkResult {
        provider.force_flush()?;
        provider.shutdown()?;
        Ok(())
    }
    let (pipeline, _) = pipeline();
    let provider = builder().with_exporter(pipeline).build();
    assert!(shut_down(&provider).is_ok());
    let again = provider.shutdown().map_err(OTelSdkError::from);
    assert!(matches!(again, Err(OTelSdkError::AlreadyShutdown)));

    struct Refusing;
    impl zerospan_export::Transport for Refusing {
        fn send(
            &mut self,
            _: &zerospan_export::Request<'_>,
        ) -> Result<zerospan_export::ExportResponse, SendError> {
            Err(SendError::refused("http://collector: 403 Forbidden"))
        }
    }
    let pipeline = Pipeline::builder()
        .with_transport(|| Ok(Refusing))
        .build()
        .expect("valid");
    let provider = builder().with_exporter(pipeline).build();
    provider.tracer("test").start("lost").end();
    match shut_down(&provider) {
        Err(OTelSdkError::InternalFailure(text)) => {
            assert!(text.contains("http://collector: 403 Forbidden"), "{text}");
        }
        other => panic!("{other:?}"),
    }
}

/// Returns the span id of a log record of the official SDK that is written now.
fn logged_span() -> Option<SpanId> {
    let exporter = InMemoryLogExporter::default();
    let provider = SdkLoggerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    let logger = provider.logger("test");
    let mut record = logger.create_log_record();
    record.set_body(AnyValue::from("hello"));
    logger.emit(record);
    let logs = exporter.get_emitted_logs().expect("exported");
    let context = logs[0].record.trace_context();
    context.map(|context| context.span_id)
}

#[test]
fn attached_native_scopes_give_official_log_records_their_span() {
    let rig = Rig::new();
    let outer = rig.tracer.span("outer").start();
    let inner = rig
        .tracer
        .span("inner")
        .with_parent(outer.span_context())
        .start();
    let (outer_id, inner_id) = (
        outer.span_context().span_id(),
        inner.span_context().span_id(),
    );
    let entered = outer.enter();
    assert_eq!(logged_span(), None, "by default nothing is attached");
    let context = current_context().attach();
    assert_eq!(logged_span(), Some(outer_id), "but can be by hand");
    drop((context, entered));

    attach_entered_spans(true);
    let entered_outer = outer.enter();
    assert_eq!(logged_span(), Some(outer_id));
    let entered_inner = inner.enter();
    assert_eq!(logged_span(), Some(inner_id));
    // Parents are found as ever, in both ways.
    let native = rig.tracer.span("native").start();
    let through_api = rig.tracer.start("api");
    drop((native, through_api));
    // In any order.
    drop(entered_outer);
    assert_eq!(logged_span(), Some(inner_id));
    drop(entered_inner);
    assert_eq!(logged_span(), None);
    assert!(!Context::current().has_active_span());

    let mut polled = std::pin::pin!(std::future::ready(()).in_span(&outer));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(polled.as_mut().poll(&mut context).is_ready());
    assert_eq!(logged_span(), None);
    attach_entered_spans(false);
    drop((outer, inner));
    for span in rig.spans() {
        let expected = match span.name.as_str() {
            "outer" => SpanId::INVALID,
            "inner" => outer_id,
            _ => inner_id,
        };
        let parent = span
            .parent_span_id
            .try_into()
            .map_or(SpanId::INVALID, SpanId::from_bytes);
        assert_eq!(parent, expected, "{}", span.name);
    }
}
