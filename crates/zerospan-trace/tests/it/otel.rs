//! Requirements of the specification that the official SDK does not meet: each test shows both.

use crate::program::ByName;
use crate::support::{Rig, resource, value};
use opentelemetry::trace::{Span as _, Status, Tracer, TracerProvider as _};
use opentelemetry::{Array, KeyValue, Value};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchSpanProcessor, InMemorySpanExporter, SdkTracerProvider, SpanData, SpanExporter, SpanLimits,
};
use std::sync::{Arc, Mutex};
use zerospan_core::dev::Warnings;
use zerospan_trace::{StaticKey, TracerProviderBuilder};

/// Returns the span that the official provider exports for `work`.
fn official(work: impl FnOnce(&opentelemetry_sdk::trace::SdkTracer)) -> SpanData {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    work(&provider.tracer("test"));
    let mut spans = exporter.get_finished_spans().expect("kept");
    assert_eq!(spans.len(), 1);
    spans.remove(0)
}

fn set_twice<T: Tracer>(tracer: &T) {
    let mut span = tracer.start("twice");
    span.set_attribute(KeyValue::new("k", "first"));
    span.set_attribute(KeyValue::new("other", 1));
    span.set_attribute(KeyValue::new("k", "last"));
    span.end();
}

#[test]
fn attribute_keys_are_unique_and_the_last_value_wins() {
    assert_eq!(official(set_twice).attributes.len(), 3, "both are exported");
    let rig = Rig::new();
    set_twice(&rig.tracer);
    let span = rig.only_span();
    assert_eq!(span.attributes.len(), 2);
    assert_eq!(value(&span.attributes, "k"), "last");

    let both = Rig::with(|builder| builder.with_repeated_keys(true));
    set_twice(&both.tracer);
    let attributes = both.only_span().attributes;
    let keys: Vec<&str> = attributes.iter().map(|attribute| &*attribute.key).collect();
    assert_eq!(keys, ["k", "other", "k"], "on request, as the official one");
}

fn two_errors<T: Tracer>(tracer: &T) {
    let mut span = tracer.start("errors");
    span.set_status(Status::error("zzz"));
    span.set_status(Status::error("aaa"));
    span.set_status(Status::Unset);
    span.end();
}

#[test]
fn the_last_error_status_wins_and_unset_overrides_nothing() {
    assert_eq!(official(two_errors).status, Status::error("zzz"));
    let rig = Rig::new();
    two_errors(&rig.tracer);
    assert_eq!(rig.only_span().status.expect("set").message, "aaa");
}

#[test]
fn status_ok_is_final_and_has_no_description() {
    let rig = Rig::new();
    let mut span = rig.tracer.start("ok");
    span.set_error("at first");
    span.set_ok();
    span.set_error_fmt(format_args!("number {}", 2));
    span.end();
    let status = rig.only_span().status.expect("set");
    assert_eq!((status.code, &*status.message), (1, ""));
}

#[derive(Debug)]
struct Exported(Arc<Mutex<Vec<String>>>);

impl SpanExporter for Exported {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let mut names = self.0.lock().expect("no panic");
        names.extend(batch.into_iter().map(|span| span.name.into_owned()));
        Ok(())
    }
}

#[test]
fn record_only_spans_are_never_exported() {
    let exported = Arc::new(Mutex::new(Vec::new()));
    let provider = SdkTracerProvider::builder()
        .with_sampler(ByName)
        .with_span_processor(BatchSpanProcessor::builder(Exported(Arc::clone(&exported))).build())
        .build();
    drop(provider.tracer("test").start("record only"));
    let _ = provider.force_flush();
    let official = exported.lock().expect("no panic").clone();
    let rig = Rig::with(|builder| builder.with_sampler(ByName));
    drop(rig.tracer.start("record only"));
    assert_eq!(rig.spans(), []);
    assert!(
        official.is_empty() || official == ["record only"],
        "whatever the official batch processor does, it is one of these: {official:?}"
    );
}

fn long_values<T: Tracer>(tracer: &T) {
    let mut span = tracer.start("long");
    span.set_attribute(KeyValue::new("text", "äöüßé"));
    let texts = vec!["short".into(), "ab".into()];
    span.set_attribute(KeyValue::new("texts", Value::Array(Array::String(texts))));
    span.set_attribute(KeyValue::new("number", 123_456));
    span.add_event("event", vec![KeyValue::new("text", "äöüßé")]);
    span.end();
}

#[test]
fn attribute_values_are_cut_after_the_maximum_length() {
    let rig = Rig::with(|builder| builder.with_max_attribute_value_length(Some(3)));
    long_values(&rig.tracer);
    let span = rig.only_span();
    assert_eq!(value(&span.attributes, "text"), "äöü");
    assert_eq!(value(&span.attributes, "texts"), "sho,ab");
    assert_eq!(value(&span.attributes, "number"), "123456");
    assert_eq!(value(&span.events[0].attributes, "text"), "äöü");
    assert_eq!(span.dropped_attributes_count, 0, "cutting is no dropping");
    // The official SDK has neither a setting nor a variable for it.
    let span = official(long_values);
    assert_eq!(span.attributes[0].value.as_str(), "äöüßé");
}

fn from_variables(variables: &'static [(&'static str, &'static str)]) -> Rig {
    Rig::from_vars(|name| {
        let found = variables.iter().find(|(variable, _)| *variable == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

#[test]
fn all_limits_come_from_the_environment() {
    let rig = from_variables(&[
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "2"),
        ("OTEL_SPAN_EVENT_COUNT_LIMIT", "1"),
        ("OTEL_SPAN_LINK_COUNT_LIMIT", "1"),
        ("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "1"),
        ("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "0"),
        ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "4"),
    ]);
    let mut span = rig.tracer.start("limited");
    let three = || {
        vec![
            KeyValue::new("a", "abcdef"),
            KeyValue::new("b", "b"),
            KeyValue::new("c", "c"),
        ]
    };
    span.set_attributes(three());
    for _ in 0..3 {
        span.add_event("event", three());
        span.add_link(span.span_context().clone(), three());
    }
    span.end();
    let span = rig.only_span();
    assert_eq!(
        (span.attributes.len(), span.dropped_attributes_count),
        (2, 1)
    );
    assert_eq!(value(&span.attributes, "a"), "abcd");
    assert_eq!((span.events.len(), span.dropped_events_count), (1, 2));
    assert_eq!((span.links.len(), span.dropped_links_count), (1, 2));
    let (event, link) = (&span.events[0], &span.links[0]);
    assert_eq!(
        (event.attributes.len(), event.dropped_attributes_count),
        (1, 2)
    );
    assert_eq!(
        (link.attributes.len(), link.dropped_attributes_count),
        (0, 3)
    );
}

#[test]
fn code_wins_over_the_environment() {
    let (builder, _) = TracerProviderBuilder::from_vars(|name| match name {
        "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT" | "OTEL_SPAN_EVENT_COUNT_LIMIT" => Some("1".to_owned()),
        "OTEL_TRACES_SAMPLER" => Some("always_off".to_owned()),
        _ => None,
    });
    let rig = Rig::from_builder(
        builder
            .with_sampler(zerospan_trace::Sampler::AlwaysOn)
            .with_max_attributes_per_span(2),
    );
    let mut span = rig.tracer.start("both");
    span.set_all(&[("a", "1"), ("b", "2"), ("c", "3")]);
    span.add_event("one", vec![]);
    span.add_event("two", vec![]);
    span.end();
    let span = rig.only_span();
    assert_eq!(span.attributes.len(), 2);
    assert_eq!(span.events.len(), 1);
}

#[test]
fn samplers_come_from_the_environment_whatever_their_case() {
    let rig = from_variables(&[("OTEL_TRACES_SAMPLER", "ALWAYS_Off")]);
    assert!(!rig.tracer.start("off").is_recording());
    let rig = from_variables(&[("OTEL_TRACES_SAMPLER", "no such sampler")]);
    assert!(
        rig.tracer.start("on").is_recording(),
        "an unknown value is ignored"
    );
}

#[test]
fn resource_attributes_are_percent_decoded() {
    let rig = from_variables(&[
        ("OTEL_SERVICE_NAME", "shop"),
        ("OTEL_RESOURCE_ATTRIBUTES", "team=a%2Cb,service.name=other"),
    ]);
    drop(rig.tracer.start("span"));
    let resource = resource(&rig.requests());
    assert_eq!(value(&resource.attributes, "service.name"), "shop");
    assert_eq!(value(&resource.attributes, "team"), "a,b");
    assert_eq!(
        value(&resource.attributes, "telemetry.sdk.name"),
        "zerospan"
    );
    assert_eq!(
        value(&resource.attributes, "telemetry.sdk.language"),
        "rust"
    );
}

#[test]
fn a_service_without_a_name_is_unknown_service() {
    let rig = Rig::new();
    drop(rig.tracer.start("span"));
    let resource = resource(&rig.requests());
    let name = value(&resource.attributes, "service.name");
    assert!(name.starts_with("unknown_service:"), "{name}");
}

#[test]
fn exceeded_limits_are_logged_once_a_minute() {
    let rig = Rig::with(|builder| {
        builder.with_span_limits(SpanLimits {
            max_attributes_per_span: 1,
            max_events_per_span: 0,
            ..SpanLimits::default()
        })
    });
    assert_eq!(rig.tracer.span_limits().max_attributes_per_span, 1);
    let warnings = Warnings::of(|| {
        for _ in 0..10_000 {
            let mut span = rig.tracer.start("overflows");
            for number in 0..10 {
                span.set_dynamic(&format!("key.{number}"), number);
                span.add_event("event", vec![]);
            }
        }
        drop(rig.tracer.start("fits"));
    });
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].starts_with("SpanLimitExceeded"), "{warnings:?}");
    assert!(warnings[0].contains("dropped_attributes=9"), "{warnings:?}");
    assert!(warnings[0].contains("dropped_events=10"), "{warnings:?}");
}

#[test]
fn a_variable_that_cannot_be_used_is_returned_with_its_value_and_not_logged() {
    let warnings = Warnings::of(|| {
        let (builder, ignored) = TracerProviderBuilder::from_vars(|name| match name {
            "OTEL_SPAN_EVENT_COUNT_LIMIT" => Some("many".to_owned()),
            "OTEL_TRACES_SAMPLER" => Some("sometimes".to_owned()),
            _ => None,
        });
        let tracer = builder.build().tracer("test");
        drop(tracer.start("span"));
        let mut ignored: Vec<_> = ignored
            .iter()
            .map(|error| (error.setting(), error.value()))
            .collect();
        ignored.sort_unstable();
        assert_eq!(
            ignored,
            [
                ("OTEL_SPAN_EVENT_COUNT_LIMIT", "many"),
                ("OTEL_TRACES_SAMPLER", "sometimes"),
            ]
        );
    });
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn scopes_keep_name_version_attributes_and_schema() {
    use opentelemetry::InstrumentationScope;
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use prost::Message;

    let rig = Rig::new();
    let scope = InstrumentationScope::builder("library")
        .with_version("1.2.3")
        .with_schema_url("https://example.com/schema")
        .with_attributes([KeyValue::new("k", "v")])
        .build();
    const KEY: StaticKey = StaticKey::new("key");
    for _ in 0..2 {
        let tracer = rig.provider.tracer_with_scope(scope.clone());
        let mut span = tracer.span("scoped").start();
        span.set(&KEY, 1);
    }
    drop(rig.tracer.start("other scope"));
    let requests = rig.requests();
    let request = ExportTraceServiceRequest::decode(&*requests[0]).expect("canonical");
    let scopes = &request.resource_spans[0].scope_spans;
    assert_eq!(scopes.len(), 2, "equal scopes lie together");
    assert_eq!(scopes[0].schema_url, "https://example.com/schema");
    assert_eq!(scopes[0].spans.len(), 2);
    let scope = scopes[0].scope.as_ref().expect("a scope");
    assert_eq!((&*scope.name, &*scope.version), ("library", "1.2.3"));
    assert_eq!(value(&scope.attributes, "k"), "v");
}
