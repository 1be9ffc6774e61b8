//! The environment decides where spans and log records go.

use crate::support::{Headers, PARENT, builder, caller, collector, spans};
use opentelemetry::global;
use opentelemetry::propagation::Extractor;
use opentelemetry::trace::Tracer;
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{self, SubscriberExt};
use zerospan_core::dev::in_own_process;
use zerospan_tracing::{EventsTo, OpenTelemetrySpanExt};

/// A layer that keeps what is logged.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> layer::Layer<S> for Logged {
    fn on_event(&self, event: &tracing::Event<'_>, _: layer::Context<'_, S>) {
        let mut line = Line(event.metadata().name().to_owned());
        event.record(&mut line);
        self.0.lock().expect("no panic").push(line.0);
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.push_str(&format!(" {field}={value:?}"));
    }
}

#[test]
fn spans_go_where_the_environment_says_and_share_a_trace_with_those_of_the_api() {
    let (endpoint, received) = collector();
    let ran = in_own_process(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint)], || {
        let guard = zerospan_tracing::init().expect("the first");
        tracing::info_span!("request").in_scope(|| {
            global::tracer("library").in_span("of the API", |_| {
                tracing::info_span!("innermost").in_scope(|| {});
            });
            tracing::debug_span!("filtered out").in_scope(|| {});
        });
        guard.shutdown().expect("delivered");
    });
    if ran.is_some() {
        let received = received.lock().expect("no panic").clone();
        let mut names: Vec<&str> = received.iter().map(|(name, _)| &**name).collect();
        names.sort_unstable();
        assert_eq!(names, ["innermost", "of the API", "request"]);
        assert!(received.iter().all(|(_, trace)| *trace == received[0].1));
    }
}

#[test]
fn logs_go_where_the_environment_says_beside_the_spans_that_they_belong_to() {
    let (endpoint, received) = collector();
    let ran = in_own_process(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint)], || {
        let builder = zerospan_tracing::builder().with_events(EventsTo::Logs);
        let guard = builder.init().expect("the first");
        tracing::info_span!("request").in_scope(|| tracing::info!("inside"));
        tracing::info!("outside");
        tracing::debug!("filtered out");
        #[cfg(feature = "log")]
        log::warn!(target: "db", "of log");
        guard.shutdown().expect("delivered");
    });
    if ran.is_some() {
        let received = received.lock().expect("no panic").clone();
        let trace = |name: &str| {
            let mut found = received.iter().filter(|(held, _)| held == name);
            let (_, trace) = found
                .next()
                .unwrap_or_else(|| panic!("{name}: {received:?}"));
            assert!(found.next().is_none(), "{name} twice: {received:?}");
            trace.clone()
        };
        assert_eq!(trace("inside"), trace("request"));
        assert_eq!(trace("outside"), "");
        #[cfg(feature = "log")]
        assert_eq!(trace("of log"), "");
        let expected = if cfg!(feature = "log") { 4 } else { 3 };
        assert_eq!(received.len(), expected, "{received:?}");
    }
}

#[test]
fn without_an_exporter_spans_get_ids() {
    in_own_process(&[("OTEL_TRACES_EXPORTER", "none")], || {
        let guard = zerospan_tracing::init().expect("the first");
        assert_eq!(guard.provider().pipelines().count(), 0);
        let span = tracing::info_span!("request");
        assert!(span.span_context().is_valid());
    });
}

#[test]
fn without_an_exporter_of_logs_spans_are_exported_and_no_event_is_visited() {
    in_own_process(&[("OTEL_LOGS_EXPORTER", "none")], || {
        let (builder, memory) = builder();
        let guard = builder
            .with_events(EventsTo::Logs)
            .init()
            .expect("the first");
        let pipelines = guard.logger_provider().expect("set up").pipelines();
        assert_eq!(pipelines.count(), 0);
        tracing::info_span!("request").in_scope(|| tracing::info!("nowhere"));
        guard.shutdown().expect("delivered");
        assert_eq!(spans(&memory.take()[0])[0].0, "request");
    });
}

#[test]
fn variables_that_cannot_be_used_are_logged_once_there_is_a_subscriber() {
    let variables = [
        ("OTEL_TRACES_EXPORTER", "console,none"),
        ("OTEL_PROPAGATORS", "b3"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_BSP_SCHEDULE_DELAY", "soon"),
    ];
    in_own_process(&variables, || {
        let logged = Logged::default();
        let other = logged.clone();
        let builder = zerospan_tracing::builder();
        let _guard = builder
            .init_with(|layer| tracing_subscriber::registry().with(layer).with(other))
            .expect("the first");
        let said = logged.0.lock().expect("no panic").clone();
        assert_eq!(said.len(), variables.len(), "{said:?}");
        for (name, _) in variables {
            let line = said.iter().find(|line| line.contains(name));
            let line = line.unwrap_or_else(|| panic!("{name}: {said:?}"));
            assert!(line.starts_with("SettingIgnored"), "{line:?}");
        }
    });
}

#[test]
fn variables_of_the_logs_that_cannot_be_used_are_logged_once_there_is_a_subscriber() {
    let variables = [
        ("OTEL_LOGS_EXPORTER", "console,none"),
        ("OTEL_BLRP_SCHEDULE_DELAY", "soon"),
        ("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "many"),
    ];
    in_own_process(&variables, || {
        let logged = Logged::default();
        let other = logged.clone();
        let builder = zerospan_tracing::builder().with_events(EventsTo::Logs);
        let _guard = builder
            .init_with(|layer| tracing_subscriber::registry().with(layer).with(other))
            .expect("the first");
        let said = logged.0.lock().expect("no panic").clone();
        assert_eq!(said.len(), variables.len(), "{said:?}");
        for (name, _) in variables {
            assert!(said.iter().any(|line| line.contains(name)), "{said:?}");
        }
    });
}

#[test]
fn a_disabled_sdk_records_nothing_and_passes_the_callers_span_on() {
    in_own_process(&[("OTEL_SDK_DISABLED", "true")], || {
        let (builder, memory) = builder();
        let guard = builder.init().expect("the first");
        let span = tracing::info_span!("request");
        span.set_parent(caller())
            .expect("a span that has not started");
        let headers = Headers::of(&span.context());
        assert_eq!(headers.get("traceparent"), Some(PARENT));
        drop(span);
        guard.shutdown().expect("nothing to deliver");
        assert_eq!(memory.len(), 0);
    });
}

#[test]
fn the_propagators_are_those_of_the_environment() {
    in_own_process(
        &[
            ("OTEL_PROPAGATORS", "none"),
            ("OTEL_TRACES_EXPORTER", "none"),
        ],
        || {
            let _guard = zerospan_tracing::init().expect("the first");
            let span = tracing::info_span!("request");
            assert!(Headers::of(&span.context()).0.is_empty());
        },
    );
}

#[cfg(feature = "env-filter")]
#[test]
fn the_filter_of_the_environment_may_name_spans() {
    in_own_process(&[("RUST_LOG", "off,[checkout]=debug")], || {
        let (builder, memory) = builder();
        let guard = builder.init().expect("the first");
        tracing::info_span!("other").in_scope(|| {});
        tracing::info_span!("checkout").in_scope(|| {
            tracing::debug_span!("inside").in_scope(|| {});
        });
        guard.shutdown().expect("delivered");
        let sent = spans(&memory.take()[0]);
        let names: Vec<&str> = sent.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["inside", "checkout"]);
    });
}
