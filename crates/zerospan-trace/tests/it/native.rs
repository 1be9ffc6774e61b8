//! The native calls of a span, and those that layers of the `tracing` crate use: each field arrives.

use crate::support::{Rig, pipeline, value};
use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer as _,
    TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind as ProtoKind;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use zerospan_trace::layer::{self, EntryKey};
use zerospan_trace::{FinishedSpan, Processor, Span, StaticKey, StaticKeySet};

const KEY: StaticKey = StaticKey::new("key");

fn remote() -> SpanContext {
    SpanContext::new(
        TraceId::from(5),
        SpanId::from(6),
        TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    )
}

#[test]
fn native_calls_set_every_field() {
    let rig = Rig::new();
    let mut span = rig.tracer.start("first");
    span.update_name_fmt(format_args!("{}", "renamed"));
    let before = SystemTime::now();
    span.event("now", &[KeyValue::new("key", 1)]);
    span.event_at("then", UNIX_EPOCH + Duration::from_nanos(7), &[("key", 2)]);
    span.event_with("written", |writer| writer.set(&KEY, 3));
    span.link(&remote(), &[("key", 4)]);
    span.link_with(&remote(), |writer| writer.set(&KEY, 5));
    span.set_error("failed");
    let context = span.to_context();
    assert_eq!(
        context.span().span_context().span_id(),
        span.context_ref().span_id()
    );
    drop(span);

    let span = rig.only_span();
    assert_eq!(span.name, "renamed");
    let events: Vec<_> = span
        .events
        .iter()
        .map(|event| (&*event.name, value(&event.attributes, "key")))
        .collect();
    let expected = [("now", "1"), ("then", "2"), ("written", "3")];
    assert_eq!(
        events,
        expected.map(|(name, value)| (name, value.to_owned()))
    );
    assert_eq!(span.events[1].time_unix_nano, 7);
    let since = before
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_nanos() as u64;
    for event in [&span.events[0], &span.events[2]] {
        // The counter stays within a millisecond of the system's clock.
        assert!(event.time_unix_nano + 10_000_000 > since);
        assert!(event.time_unix_nano < since + 60_000_000_000);
    }
    let links: Vec<_> = span
        .links
        .iter()
        .map(|link| value(&link.attributes, "key"))
        .collect();
    assert_eq!(links, ["4", "5"]);
    assert!(
        span.links
            .iter()
            .all(|link| link.span_id == 6_u64.to_be_bytes())
    );
    let status = span.status.expect("a status");
    assert_eq!((status.code, &*status.message), (2, "failed"));
}

#[test]
fn the_status_ok_is_final() {
    let rig = Rig::new();
    let mut span = rig.tracer.start("span");
    span.set_error_fmt(format_args!("{}", "failed"));
    span.set_ok();
    span.set_error("failed again");
    drop(span);
    let status = rig.only_span().status.expect("a status");
    assert_eq!((status.code, &*status.message), (1, ""));
}

#[test]
fn the_calls_for_layers_set_the_same_fields() {
    let rig = Rig::new();
    let mut span = rig.tracer.start("first");
    assert!(span.is_recorded());
    span.rename("renamed");
    span.set_kind(&SpanKind::Consumer);
    assert!(!span.has_attribute("key"));
    span.write_attributes(|mut writer| writer.set(&KEY, 1));
    assert!(span.has_attribute("key") && !span.has_attribute("ke"));
    span.add_event_at("event", 9, &[("key", 2)]);
    span.set_error_or_keep("");
    span.set_error_or_keep("failed");
    span.set_error_or_keep("");
    let moment = rig.tracer.moment();
    let start = span.start_moment();
    assert!(moment.steady_nanos() >= start.steady_nanos());
    assert!(span.unix_nanos_at(&moment) >= span.unix_nanos_at(&start));
    let mut taken = span.take();
    assert!(taken.is_recorded() && !span.is_recorded());
    assert_eq!(taken.context_ref(), span.context_ref());
    let end = taken.unix_nanos_at(&moment) + 1_000;
    taken.end_at_unix_nanos(end);

    let span = rig.only_span();
    assert_eq!(
        (&*span.name, span.kind),
        ("renamed", ProtoKind::Consumer as i32)
    );
    assert_eq!(value(&span.attributes, "key"), "1");
    assert_eq!(
        (&*span.events[0].name, span.events[0].time_unix_nano),
        ("event", 9)
    );
    let status = span.status.expect("a status");
    assert_eq!((status.code, &*status.message), (2, "failed"));
    assert_eq!(span.end_time_unix_nano, end);
}

#[test]
fn a_span_that_is_discarded_did_not_start() {
    let rig = Rig::new();
    rig.tracer.start("discarded").discard();
    let stats = rig.provider.stats();
    assert_eq!((stats.started, stats.open), (0, 0));
    assert_eq!(rig.spans(), []);
}

#[test]
fn a_span_takes_the_identity_of_one_that_started_later() {
    let rig = Rig::new();
    let span = rig.tracer.start("earlier");
    let mut earlier = span;
    let later = rig.tracer.start("later");
    let identity = later.context_ref().clone();
    let left = earlier.take_identity_of(later);
    left.discard();
    assert_eq!(earlier.context_ref(), &identity);
    drop(earlier);
    let span = rig.only_span();
    assert_eq!(span.name, "earlier");
    assert_eq!(span.span_id, identity.span_id().to_bytes());
}

#[test]
fn an_entry_of_a_layer_is_the_parent_until_it_is_exited() {
    let rig = Rig::new();
    let span = rig.tracer.start("parent");
    let key = EntryKey { owner: 71, id: 3 };
    let enter = || layer::with_thread(|thread| thread.enter_as(key, span.context_ref(), true));
    assert!(enter());
    assert_eq!(layer::last_of_owner(71), Some((3, true)));
    assert_eq!(layer::last_of_owner(72), None);
    assert_eq!(layer::count_unused(key), Some(1));
    assert!(layer::replace_entries(key, &remote(), false));
    assert_eq!(layer::last_of_owner(71), Some((3, false)));
    assert!(layer::replace_entries(key, span.context_ref(), true));
    let child = |is_child: bool| {
        let child = rig.tracer.start("child");
        let parent = span.context_ref();
        assert_eq!(
            child.context_ref().trace_id() == parent.trace_id(),
            is_child
        );
        child.discard();
    };
    layer::with_owner(72, || child(false));
    layer::with_owner(71, || child(true));
    assert_eq!(layer::count_unused(key), None, "its context was used");
    assert!(!layer::replace_entries(key, &remote(), true));
    let exited = layer::with_thread(|thread| thread.exit_as(key));
    assert!(exited.is_some_and(|exited| exited.is_used && exited.is_recorded));
    assert!(layer::with_thread(|thread| thread.exit_as(key)).is_none());
    child(false);

    assert!(enter() && enter());
    layer::retain(71, |id| id == 3);
    assert_eq!(layer::count_unused(key), Some(2));
    layer::exit_all(key);
    assert_eq!(layer::count_unused(key), Some(0));
    assert!(enter());
    layer::retain(71, |_| false);
    assert_eq!(layer::last_of_owner(71), None);
    assert!(!layer::is_suppressed());
    let _suppressed = Context::enter_telemetry_suppressed_scope();
    assert!(layer::is_suppressed());
}

/// Keeps what it reads of each span.
#[derive(Debug, Default, Clone)]
struct Reading(Arc<Mutex<Vec<String>>>);

impl Processor for Reading {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: &FinishedSpan<'_>) {
        let line = format!(
            "{} {} {} {} {}",
            span.parent_span_id(),
            span.parent_is_remote(),
            span.is_exported(),
            span.instrumentation_scope().name(),
            span.span_context().is_valid(),
        );
        assert!(!span.encoded().is_empty());
        assert!(!span.resource().is_empty());
        assert!(format!("{span:?}").starts_with("FinishedSpan { context: "));
        self.0.lock().expect("no panic").push(line);
    }
}

#[test]
fn a_processor_reads_parent_scope_and_decision() {
    let reading = Reading::default();
    let (pipeline, _memory) = pipeline();
    let provider = crate::support::builder()
        .with_processor(reading.clone())
        .with_exporter(pipeline)
        .build();
    let tracer = provider.tracer("scope");
    let root = tracer.start("root");
    let root_id = root.context_ref().span_id();
    let entered = root.enter();
    drop(tracer.start("local child"));
    drop(entered);
    drop(root);
    let context = Context::new().with_remote_span_context(remote());
    let attached = context.attach();
    drop(tracer.start("remote child"));
    drop(attached);
    assert_eq!(
        *reading.0.lock().expect("no panic"),
        [
            format!("{root_id} false true scope true"),
            "0000000000000000 false true scope true".to_owned(),
            "0000000000000006 true true scope true".to_owned(),
        ]
    );
}

#[test]
fn moments_are_as_far_apart_as_the_starts_of_their_spans() {
    let rig = Rig::new();
    let before = Instant::now();
    let first = rig.tracer.span("first").start();
    std::thread::sleep(Duration::from_millis(5));
    let last = rig.tracer.span("last").start();
    let at_least = 4_000_000;
    let at_most = before.elapsed().as_nanos() as u64 + 1_000_000;
    let apart = last.start_moment().steady_nanos() - first.start_moment().steady_nanos();
    assert!((at_least..=at_most).contains(&apart), "{apart}");
}

#[test]
fn each_key_of_a_set_gets_its_value_and_replaces_an_earlier_one() {
    const SET: StaticKeySet<2> = StaticKeySet::new(["route", "status"]);
    let rig = Rig::new();
    let mut span = rig.tracer.span("set").start();
    span.set_dynamic("status", 500);
    span.set_each(&SET, ("/users", 200));
    drop(span);
    let span = rig.only_span();
    assert_eq!(span.attributes.len(), 2);
    assert_eq!(value(&span.attributes, "route"), "/users");
    assert_eq!(value(&span.attributes, "status"), "200");
}

#[test]
fn each_limit_that_the_builder_sets_is_that_of_its_kind() {
    let rig = Rig::with(|builder| {
        builder
            .with_max_attributes_per_span(1)
            .with_max_events_per_span(2)
            .with_max_links_per_span(3)
            .with_max_attributes_per_event(4)
            .with_max_attributes_per_link(5)
            .with_max_attribute_value_length(Some(6))
    });
    let keys = ["a", "b", "c", "d", "e", "f", "g"];
    let attributes = keys.map(|key| (key, "0123456789"));
    let mut span = rig.tracer.start("limited");
    for (key, text) in attributes {
        span.set_dynamic(key, text);
        span.event("event", &attributes);
        span.link(&remote(), &attributes);
    }
    drop(span);
    let span = rig.only_span();
    let counts = (span.attributes.len(), span.events.len(), span.links.len());
    assert_eq!(counts, (1, 2, 3));
    let inner = (&span.events[0].attributes, &span.links[0].attributes);
    assert_eq!((inner.0.len(), inner.1.len()), (4, 5));
    for attributes in [&span.attributes, inner.0, inner.1] {
        assert_eq!(value(attributes, "a"), "012345");
    }
}

#[test]
fn a_child_of_an_entered_span_has_its_trace_state() {
    let state = TraceState::from_key_value([("vendor", "value")]).expect("a valid state");
    let (trace, span) = (remote().trace_id(), remote().span_id());
    let remote = SpanContext::new(trace, span, TraceFlags::SAMPLED, true, state.clone());
    let rig = Rig::new();
    let parent = rig.tracer.span("parent").with_parent(&remote).start();
    let entered = parent.enter();
    let child = rig.tracer.span("child").start();
    assert_eq!(*child.context_ref().trace_state(), state);
    drop(entered);
}
