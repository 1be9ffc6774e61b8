//! Through the API's own ways: the global provider, boxed tracers, `in_span`, contexts, tracing-opentelemetry.

use crate::support::{Rig, value};
use opentelemetry::global;
use opentelemetry::trace::{
    Span as _, SpanKind, Status, TraceContextExt, Tracer as _, get_active_span,
};
use opentelemetry::{Context, KeyValue};
use tracing_subscriber::layer::SubscriberExt;
use zerospan_core::{Attribute, AttributeSink, AttributeValue, SinkError};

#[test]
fn the_global_provider_may_be_ours() {
    let rig = Rig::new();
    global::set_tracer_provider(rig.provider.clone());
    let tracer = global::tracer("boxed");
    tracer.in_span("outer", |context| {
        context.span().set_attribute(KeyValue::new("who", "outer"));
        get_active_span(|span| span.add_event("active", vec![]));
        let mut inner = tracer.start("inner");
        inner.set_attribute(KeyValue::new("who", "inner"));
        inner.end();
    });
    let mut spans = rig.spans();
    spans.sort_by_key(|span| span.name.clone());
    let [inner, outer] = &spans[..] else {
        panic!("{spans:#?}")
    };
    assert_eq!(inner.parent_span_id, outer.span_id);
    assert_eq!(value(&inner.attributes, "who"), "inner");
    assert_eq!(value(&outer.attributes, "who"), "outer");
    assert_eq!(outer.events[0].name, "active");
}

#[test]
fn a_span_in_a_context_is_written_to_from_wherever_the_context_goes() {
    let rig = Rig::new();
    let context = Context::new().with_span(rig.tracer.start("shared"));
    let elsewhere = context.clone();
    std::thread::spawn(move || {
        elsewhere.span().set_status(Status::error("elsewhere"));
        elsewhere.span().end();
    })
    .join()
    .expect("the thread ends");
    context.span().set_attribute(KeyValue::new("late", true));
    drop(context);
    let span = rig.only_span();
    assert_eq!(span.status.expect("set").message, "elsewhere");
    assert_eq!(span.attributes, []);
}

#[test]
fn a_builder_gives_kind_attributes_and_links() {
    let rig = Rig::new();
    let other = rig.tracer.start("other");
    let span = rig
        .tracer
        .span_builder("built")
        .with_kind(SpanKind::Consumer)
        .with_attributes([KeyValue::new("a", 1)])
        .with_links(vec![opentelemetry::trace::Link::with_context(
            other.span_context().clone(),
        )])
        .start(&rig.tracer);
    drop(span);
    let span = rig.only_span();
    assert_eq!(span.kind, 5);
    assert_eq!(value(&span.attributes, "a"), "1");
    assert_eq!(
        span.links[0].span_id,
        other.span_context().span_id().to_bytes()
    );
}

#[test]
fn the_layer_of_tracing_opentelemetry_works_on_our_tracer() {
    let rig = Rig::new();
    let layer = tracing_opentelemetry::layer().with_tracer(rig.tracer.clone());
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, || {
        let _outer = tracing::info_span!("outer", answer = 42).entered();
        let _inner = tracing::info_span!("inner").entered();
        tracing::info!(detail = "happened", "an event");
    });
    let mut spans = rig.spans();
    spans.sort_by_key(|span| span.name.clone());
    let [inner, outer] = &spans[..] else {
        panic!("{spans:#?}")
    };
    assert_eq!(inner.parent_span_id, outer.span_id);
    assert_eq!(value(&outer.attributes, "answer"), "42");
    assert_eq!(inner.events[0].name, "an event");
    assert_eq!(value(&inner.events[0].attributes, "detail"), "happened");
}

#[test]
fn a_recorded_error_is_the_event_that_the_api_crate_makes() {
    let rig = Rig::new();
    let mut span = rig.tracer.start("fails");
    span.record_error(&std::io::Error::other("no disk"));
    span.end();
    let span = rig.only_span();
    assert_eq!(span.events[0].name, "exception");
    assert_eq!(
        value(&span.events[0].attributes, "exception.message"),
        "no disk"
    );
    assert!(
        (span.start_time_unix_nano..=span.end_time_unix_nano)
            .contains(&span.events[0].time_unix_nano)
    );
}

#[test]
fn a_span_is_a_sink_for_whole_sources() {
    let rig = Rig::new();
    let mut span = rig.tracer.start("sink");
    assert_eq!(span.push_all(&[("a", "1"), ("b", "2")]), Ok(()));
    assert_eq!(span.push_attribute(Attribute::new("a", 3)), Ok(()));
    let unsupported = Attribute {
        key: "unsupported",
        value: AttributeValue::Unsupported,
    };
    assert_eq!(
        span.push_attribute(unsupported),
        Err(SinkError::Unsupported)
    );
    span.end();
    assert_eq!(
        span.push_all(&[("late", "x")]),
        Ok(()),
        "an ended span forgets"
    );
    let span = rig.only_span();
    assert_eq!(value(&span.attributes, "a"), "3");
    assert_eq!(value(&span.attributes, "b"), "2");
    assert_eq!(span.attributes.len(), 2);
    assert_eq!(span.dropped_attributes_count, 1);
}
