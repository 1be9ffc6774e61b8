//! A set-up installs everything or nothing, and its guard delivers.

use crate::support::{builder, caller, spans};
use opentelemetry::global;
use opentelemetry::trace::{TraceContextExt, Tracer};
use opentelemetry_sdk::Resource;
use std::error::Error;
use zerospan_core::dev::{Warnings, in_own_process};
use zerospan_export::{ExportResponse, Pipeline, Request, SendError, Transport};
use zerospan_tracing::InitError;

#[test]
fn dropping_the_guard_delivers() {
    in_own_process(&[], || {
        let (builder, memory) = builder();
        let resource = Resource::builder_empty().with_service_name("shop").build();
        let guard = builder.with_resource(resource).init().expect("the first");
        tracing::info_span!("request").in_scope(|| {});
        assert_eq!(memory.len(), 0);
        drop(guard);
        assert_eq!(spans(&memory.take()[0])[0].0, "request");
    });
}

#[test]
fn a_guard_that_is_dropped_before_all_is_delivered_says_so() {
    struct Refusing;
    impl Transport for Refusing {
        fn send(&mut self, _: &Request<'_>) -> Result<ExportResponse, SendError> {
            Err(SendError::refused("on purpose"))
        }
    }
    in_own_process(&[], || {
        let refusing = Pipeline::builder().with_transport(|| Ok(Refusing));
        let guard = zerospan_tracing::builder()
            .with_exporter(refusing.build().expect("a pipeline"))
            .init()
            .expect("the first");
        tracing::info_span!("request").in_scope(|| {});
        let said = Warnings::of(|| drop(guard));
        let is_said =
            |one: &String| one.starts_with("GuardDroppedSpans") && one.contains("on purpose");
        assert!(said.iter().any(is_said), "{said:?}");
    });
}

#[test]
fn a_flush_delivers_and_tracing_goes_on() {
    in_own_process(&[], || {
        let (builder, memory) = builder();
        let guard = builder.init().expect("the first");
        for delivered in 1..=3 {
            tracing::info_span!("request").in_scope(|| {});
            guard.flush().expect("delivered");
            assert_eq!(memory.len(), delivered);
        }
    });
}

#[test]
fn a_second_init_is_an_error_with_the_remedy_and_changes_nothing() {
    in_own_process(&[], || {
        tracing::subscriber::set_global_default(tracing_subscriber::registry()).expect("the first");
        let (builder, memory) = builder();
        let error = builder.init().expect_err("the second");
        assert!(matches!(error, InitError::AlreadyInstalled(_)), "{error:?}");
        assert!(error.source().is_some());
        let said = error.to_string();
        assert!(said.contains("in place of") && said.contains("layer(&provider)"));
        // Neither the propagator nor the provider is installed.
        assert!(!caller().span().span_context().is_valid());
        global::tracer("library").in_span("of the API", |_| {});
        assert_eq!(memory.len(), 0);
    });
}

#[test]
fn a_setting_in_code_that_cannot_be_used_is_an_error() {
    in_own_process(&[("OTEL_TRACES_EXPORTER", "none")], || {
        let builder = zerospan_tracing::builder().with_default_filter("info=maybe");
        let error = builder.init().expect_err("no level");
        let cause = error.source().expect("a cause").to_string();
        assert!(cause.contains("info=maybe"), "{cause}");
        let _guard = zerospan_tracing::init().expect("nothing was installed before");
    });
}

#[cfg(feature = "fmt")]
#[test]
fn events_are_printed_by_the_layer_for_it() {
    let printed = in_own_process(&[("OTEL_TRACES_EXPORTER", "none")], || {
        let builder = zerospan_tracing::builder().with_fmt();
        let _guard = builder.init().expect("the first");
        tracing::info_span!("request").in_scope(|| tracing::info!("hello from the test"));
    });
    assert!(printed.is_none_or(|printed| printed.contains("hello from the test")));
}
