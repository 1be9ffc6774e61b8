//! Arbitrary spans of the official SDK.

use opentelemetry::trace::{
    Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Array, InstrumentationScope, KeyValue, StringValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use proptest::collection::vec;
use proptest::prelude::*;
use std::time::{Duration, SystemTime};

/// Texts from empty to those whose length takes three bytes.
pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        1 => Just(String::new()),
        8 => "[a-z.]{1,30}",
        4 => "\\PC{0,40}",
        2 => (100_usize..160).prop_map(|length| "x".repeat(length)),
        1 => (16_300_usize..16_500).prop_map(|length| "y".repeat(length)),
    ]
}

pub(crate) fn value() -> impl Strategy<Value = Value> {
    let number = || prop_oneof![any::<i64>(), 0_i64..300, Just(i64::MIN), Just(-1)];
    let float = || {
        prop_oneof![
            any::<f64>().prop_filter("equal to itself", |f| !f.is_nan()),
            Just(-0.0)
        ]
    };
    prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        number().prop_map(Value::I64),
        float().prop_map(Value::F64),
        text().prop_map(|text| Value::String(text.into())),
        vec(any::<bool>(), 0..40).prop_map(|values| Value::Array(Array::Bool(values))),
        vec(number(), 0..20).prop_map(|values| Value::Array(Array::I64(values))),
        vec(float(), 0..20).prop_map(|values| Value::Array(Array::F64(values))),
        vec(text().prop_map(StringValue::from), 0..6)
            .prop_map(|values| Value::Array(Array::String(values))),
    ]
}

pub(crate) fn attributes(max: usize) -> impl Strategy<Value = Vec<KeyValue>> {
    let some = vec((text(), value()), 0..10.min(max));
    let many = vec((text(), value()), 0..=max);
    prop_oneof![9 => some, 1 => many].prop_map(|attributes| {
        let pairs = attributes.into_iter();
        pairs
            .map(|(key, value)| KeyValue::new(key, value))
            .collect()
    })
}

/// From a hundred years before 1970 to after 2554.
pub(crate) fn time() -> impl Strategy<Value = SystemTime> {
    let since = |seconds: u64, nanos: u32| SystemTime::UNIX_EPOCH + Duration::new(seconds, nanos);
    prop_oneof![
        4 => (0_u64..4_000_000_000, 0_u32..1_000_000_000).prop_map(move |(s, n)| since(s, n)),
        1 => (0_u64..18_446_744_073, 0_u32..1_000_000_000).prop_map(move |(s, n)| since(s, n)),
        1 => Just(SystemTime::UNIX_EPOCH),
        1 => (0_u64..3_000_000_000).prop_map(|s| SystemTime::UNIX_EPOCH - Duration::from_secs(s)),
    ]
}

fn trace_state() -> impl Strategy<Value = TraceState> {
    let pairs = vec(("[a-z][a-z0-9_*/-]{0,20}", "[!-+.-<>-~]{0,60}"), 0..5);
    pairs.prop_map(|pairs| TraceState::from_key_value(pairs).unwrap_or_default())
}

pub(crate) fn context() -> impl Strategy<Value = SpanContext> {
    let ids = (
        prop_oneof![9 => any::<u128>(), 1 => Just(0)],
        prop_oneof![9 => any::<u64>(), 1 => Just(0)],
    );
    (ids, any::<u8>(), any::<bool>(), trace_state()).prop_map(
        |((trace, span), flags, remote, state)| {
            let (trace, span) = (TraceId::from(trace), SpanId::from(span));
            SpanContext::new(trace, span, TraceFlags::new(flags), remote, state)
        },
    )
}

fn event() -> impl Strategy<Value = Event> {
    (text(), time(), attributes(20), dropped())
        .prop_map(|(name, time, attributes, dropped)| Event::new(name, time, attributes, dropped))
}

fn link() -> impl Strategy<Value = Link> {
    (context(), attributes(20), dropped())
        .prop_map(|(context, attributes, dropped)| Link::new(context, attributes, dropped))
}

fn dropped() -> impl Strategy<Value = u32> {
    prop_oneof![4 => Just(0), 1 => 1_u32..200, 1 => any::<u32>()]
}

pub(crate) fn kind() -> impl Strategy<Value = SpanKind> {
    prop::sample::select(vec![
        SpanKind::Internal,
        SpanKind::Server,
        SpanKind::Client,
        SpanKind::Producer,
        SpanKind::Consumer,
    ])
}

pub(crate) fn status() -> impl Strategy<Value = Status> {
    prop_oneof![
        Just(Status::Unset),
        Just(Status::Ok),
        text().prop_map(Status::error)
    ]
}

pub(crate) fn scope() -> impl Strategy<Value = InstrumentationScope> {
    let texts = (text(), prop::option::of(text()), prop::option::of(text()));
    (texts, attributes(4)).prop_map(|((name, version, schema_url), attributes)| {
        let mut builder = InstrumentationScope::builder(name).with_attributes(attributes);
        if let Some(version) = version {
            builder = builder.with_version(version);
        }
        if let Some(url) = schema_url {
            builder = builder.with_schema_url(url);
        }
        builder.build()
    })
}

/// A resource, with a schema URL or without.
pub(crate) fn resource() -> impl Strategy<Value = Resource> {
    (attributes(6), prop::option::of(text())).prop_map(|(attributes, schema_url)| {
        let builder = Resource::builder_empty();
        match schema_url {
            Some(url) => builder.with_schema_url(attributes, url).build(),
            None => builder.with_attributes(attributes).build(),
        }
    })
}

/// Any span, in any of `scopes`.
pub(crate) fn span_of(scopes: Vec<InstrumentationScope>) -> impl Strategy<Value = SpanData> {
    let identity = (context(), any::<u64>(), any::<bool>(), kind(), text());
    let times = (time(), time());
    let content = (attributes(200), vec(event(), 0..4), vec(link(), 0..4));
    let counts = (dropped(), dropped(), dropped());
    (
        identity,
        times,
        content,
        counts,
        status(),
        prop::sample::select(scopes),
    )
        .prop_map(|(identity, times, content, counts, status, scope)| {
            let (span_context, parent, parent_span_is_remote, span_kind, name) = identity;
            let (attributes, held_events, held_links) = content;
            let (mut events, mut links) = (SpanEvents::default(), SpanLinks::default());
            events.events = held_events;
            events.dropped_count = counts.1;
            links.links = held_links;
            links.dropped_count = counts.2;
            SpanData {
                span_context,
                parent_span_id: SpanId::from(if parent % 3 == 0 { 0 } else { parent }),
                parent_span_is_remote,
                span_kind,
                name: name.into(),
                start_time: times.0,
                end_time: times.1,
                attributes,
                dropped_attributes_count: counts.0,
                events,
                links,
                status,
                instrumentation_scope: scope,
            }
        })
}

pub(crate) fn span() -> impl Strategy<Value = SpanData> {
    span_of(vec![InstrumentationScope::builder("scope").build()])
}
