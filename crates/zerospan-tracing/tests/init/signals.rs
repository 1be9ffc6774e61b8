//! Spans and log records together.

use crate::support::{builder_with_logs, log_records, spans};
use opentelemetry_sdk::Resource;
use std::net::TcpListener;
use std::time::{Duration, Instant};
use tracing_subscriber::layer::SubscriberExt;
use zerospan_core::dev::in_own_process;
use zerospan_export::{InMemoryTransport, OtlpConfig, Pipeline, Signal};
use zerospan_otlp::{LogRecordView, LogsRequestView, ValueView};
use zerospan_tracing::EventsTo;

#[test]
fn dropping_the_guard_delivers_the_logs_too() {
    in_own_process(&[], || {
        let (builder, traces, logs) = builder_with_logs();
        let guard = builder
            .with_events(EventsTo::Both)
            .with_resource(Resource::builder_empty().with_service_name("shop").build())
            .init()
            .expect("the first");
        tracing::info_span!("request").in_scope(|| tracing::info!("inside"));
        guard.flush().expect("delivered");
        assert_eq!(log_records(&logs.take()[0])[0].0, "inside");
        tracing::info!("last");
        let provider = guard.logger_provider().expect("logs are set up").clone();
        drop(guard);
        let last = logs.take();
        assert_eq!(log_records(&last[0])[0].0, "last");
        let request = LogsRequestView::new(&last[0]);
        let resource = request.resource_logs().next().expect("one").expect("valid");
        let shop = resource.resource().expect("set").attributes().flatten();
        let names = shop.filter(|attribute| attribute.key == "service.name");
        let names: Vec<_> = names
            .filter_map(|name| name.value?.as_str().map(str::to_owned))
            .collect();
        assert_eq!(names, ["shop"]);
        assert_eq!(spans(&traces.take()[0])[0].0, "request");
        assert!(provider.stats().is_balanced());
        assert!(provider.shutdown().is_err(), "the guard did it");
    });
}

#[test]
fn a_collector_that_does_not_answer_costs_the_other_signal_nothing() {
    in_own_process(&[], || {
        // Takes connections, and never answers.
        let hung = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let endpoint = format!("http://{}", hung.local_addr().expect("an address"));
        let config = || OtlpConfig::default().with_endpoint(endpoint.as_str());
        let memory = InMemoryTransport::new();
        let pipeline = |signal| Pipeline::builder().with_signal(signal);
        let in_memory = |signal| pipeline(signal).with_transport(memory.clone()).build();
        let in_memory = |signal| in_memory(signal).expect("a pipeline");
        let to_hung = |signal| pipeline(signal).with_otlp(config()).build();
        let to_hung = |signal| to_hung(signal).expect("a pipeline");
        for (traces, logs) in [
            (to_hung(Signal::Traces), in_memory(Signal::Logs)),
            (in_memory(Signal::Traces), to_hung(Signal::Logs)),
        ] {
            let builder = zerospan_tracing::builder().with_exporter(traces);
            let builder = builder.with_log_exporter(logs);
            let (layer, guard) = builder.build().expect("usable");
            let subscriber = tracing_subscriber::registry().with(layer);
            tracing::subscriber::with_default(subscriber, || {
                tracing::info_span!("request").in_scope(|| tracing::info!("inside"));
            });
            let started = Instant::now();
            guard.shutdown().expect_err("one of both is lost");
            assert!(started.elapsed() < Duration::from_secs(8));
            assert_eq!(memory.take().len(), 1, "the other one is delivered");
        }
    });
}

/// Logs, opens a span and records on its span while it is formatted.
struct Chatty;

impl std::fmt::Debug for Chatty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        tracing::info!(nested = ?Some(2), "nested");
        tracing::Span::current().record("late", 5);
        tracing::info_span!("nested").in_scope(|| {});
        f.write_str("formatted")
    }
}

fn a_value_that_logs(events: EventsTo) {
    let (builder, spans_out, logs) = builder_with_logs();
    let builder = builder.with_events(events);
    // `tracing` passes nested events on to the global subscriber alone.
    let builder = builder.map_layer(|layer| layer.with_span_fields_in_logs(["late", "kept"]));
    let guard = builder.init().expect("the first");
    let span = tracing::info_span!("span", late = tracing::field::Empty, kept = ?Chatty);
    span.in_scope(|| tracing::info!(first = 1, value = ?Chatty, last = 3, "of {:?}", Chatty));
    drop(span);
    let stats = guard.logger_provider().expect("set up").clone();
    guard.shutdown().expect("delivered");
    assert!(stats.stats().is_balanced());
    let requests = logs.take();
    let bodies: Vec<String> = requests
        .iter()
        .flat_map(|request| log_records(request))
        .map(|(body, _)| body)
        .collect();
    // The field of the span is formatted for the span and for the logs.
    let count = |body: &str| bodies.iter().filter(|held| *held == body).count();
    assert_eq!(
        (count("of formatted"), count("nested")),
        (1, 4),
        "{bodies:?}"
    );
    let request = LogsRequestView::new(&requests[0]);
    let resource = request.resource_logs().next().expect("one").expect("valid");
    let scope = resource.scope_logs().next().expect("one").expect("valid");
    let is_outer =
        |record: &LogRecordView<'_>| record.body().and_then(ValueView::as_str) != Some("nested");
    let outer = scope.log_records().flatten().find(is_outer).expect("there");
    let value = |key: &str| {
        let mut attributes = outer.attributes().flatten();
        let found = attributes.find(|attribute| attribute.key == key);
        found
            .and_then(|found| found.value)
            .map(|value| format!("{value:?}"))
    };
    for (key, expected) in [
        ("first", "I64(1)"),
        ("value", "Str(\"formatted\")"),
        ("last", "I64(3)"),
        ("late", "I64(5)"),
        ("kept", "Str(\"formatted\")"),
    ] {
        assert_eq!(value(key).as_deref(), Some(expected), "{key}");
    }
    let requests = spans_out.take();
    let spans = requests.iter().flat_map(|request| spans(request));
    assert_eq!(spans.filter(|(name, _)| name == "nested").count(), 4);
}

#[test]
fn a_value_that_logs_while_it_is_formatted_returns_and_each_record_is_whole() {
    in_own_process(&[], || a_value_that_logs(EventsTo::Logs));
}

#[test]
fn a_value_that_logs_while_it_is_formatted_for_both_returns_and_each_record_is_whole() {
    in_own_process(&[], || a_value_that_logs(EventsTo::Both));
}
