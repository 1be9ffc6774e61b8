//! Spans without guards, which a layer of the `tracing` crate enters and exits under its own keys.

use crate::support::{Rig, value};
use opentelemetry::trace::SpanKind;
use opentelemetry_proto::tonic::trace::v1::span;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use zerospan_trace::layer::{
    AttributeBuffer, EntryKey, SpanLimits, count_unused, exit_all, last_of_owner, replace_entries,
    retain, with_owner, with_thread,
};
use zerospan_trace::{Span, StaticKey, current_span_context};

const OWNER: u64 = u64::MAX - 1;
const NUMBER: StaticKey = StaticKey::new("number");

fn key(id: u64) -> EntryKey {
    EntryKey { owner: OWNER, id }
}

fn enter(id: u64, span: &Span) {
    let enter = |span: &Span| {
        with_thread(|thread| thread.enter_as(key(id), span.context_ref(), span.is_recorded()))
    };
    assert!(enter(span));
}

/// Returns whether the span was recorded and whether its context was used.
fn exit(id: u64) -> Option<(bool, bool)> {
    let exited = with_thread(|thread| thread.exit_as(key(id)));
    exited.map(|exited| (exited.is_recorded, exited.is_used))
}

#[test]
fn spans_are_entered_and_exited_by_key_in_any_order() {
    let rig = Rig::new();
    assert_eq!((last_of_owner(OWNER), exit(1)), (None, None));
    let (first, mut second) = (
        rig.tracer.span("first").start(),
        rig.tracer.span("second").start(),
    );
    drop(second.take());
    enter(1, &first);
    assert_eq!(last_of_owner(OWNER), Some((1, true)));
    enter(2, &second);
    // It has ended.
    assert_eq!(last_of_owner(OWNER), Some((2, false)));
    assert_eq!(last_of_owner(OWNER - 1), None);
    assert_eq!(exit(1), Some((true, false)));
    assert_eq!(last_of_owner(OWNER), Some((2, false)));
    assert_eq!(current_span_context(), *second.context_ref());
    assert_eq!(exit(2), Some((false, true)));
    assert_eq!((last_of_owner(OWNER), exit(2)), (None, None));
    assert!(!current_span_context().is_valid());
}

#[test]
fn an_entered_span_is_the_parent_of_the_next_unless_another_owner_asks() {
    let rig = Rig::new();
    let parent = rig.tracer.span("parent").start();
    let id = parent.context_ref().span_id().to_bytes();
    enter(1, &parent);
    enter(1, &parent);
    assert_eq!(count_unused(key(1)), Some(2));
    drop(with_owner(OWNER - 1, || rig.tracer.span("other").start()));
    assert_eq!(count_unused(key(1)), Some(2));
    drop(with_owner(OWNER, || rig.tracer.span("child").start()));
    assert_eq!(count_unused(key(1)), None);
    retain(OWNER, |id| id == 1);
    assert_eq!(last_of_owner(OWNER), Some((1, true)));
    exit_all(key(1));
    assert_eq!((last_of_owner(OWNER), exit(1)), (None, None));
    enter(2, &parent);
    retain(OWNER, |id| id == 1);
    assert_eq!(last_of_owner(OWNER), None);
    let parents = rig.spans().into_iter();
    let parents: Vec<_> = parents
        .map(|span| (span.name, span.parent_span_id))
        .collect();
    let expected = [("other", vec![]), ("child", id.to_vec())];
    assert_eq!(
        parents,
        expected.map(|(name, parent)| (name.to_owned(), parent))
    );
}

#[test]
fn the_context_of_an_entered_span_is_replaced_until_it_is_used() {
    let rig = Rig::new();
    let (span, other) = (
        rig.tracer.span("span").start(),
        rig.tracer.span("other").start(),
    );
    enter(1, &span);
    assert!(replace_entries(key(1), other.context_ref(), false));
    assert_eq!(last_of_owner(OWNER), Some((1, false)));
    assert_eq!(current_span_context(), *other.context_ref());
    assert!(!replace_entries(key(1), span.context_ref(), true));
    assert_eq!(current_span_context(), *other.context_ref());
    assert_eq!(exit(1), Some((false, true)));
}

#[test]
fn a_span_has_what_a_layer_writes_and_the_times_that_it_read() {
    let rig = Rig::new();
    let mut attributes = AttributeBuffer::new();
    attributes
        .event_writer(&SpanLimits::NONE)
        .set(&NUMBER, 1_i64);
    let mut span = rig.tracer.span("span").start();
    let (start, now) = (span.start_moment(), rig.tracer.moment());
    assert!(0 < start.steady_nanos() && start.steady_nanos() <= now.steady_nanos());
    let (start, now) = (span.unix_nanos_at(&start), span.unix_nanos_at(&now));
    span.rename("renamed");
    span.set_kind(&SpanKind::Client);
    assert!(!span.has_attribute("number"));
    span.write_attributes(|mut writer| writer.set(&NUMBER, 2_i64));
    assert!(span.has_attribute("number"));
    span.add_event_from("event", now, &attributes);
    span.set_error_or_keep("described");
    span.set_error_or_keep("");
    let mut taken = span.take();
    // It has ended, and keeps its context.
    assert_eq!(span.context_ref(), taken.context_ref());
    assert!(!span.is_recorded() && taken.is_recorded());
    taken.end_at_unix_nanos(now + 5);
    let exported = rig.only_span();
    assert_eq!(exported.name, "renamed");
    assert_eq!(exported.kind(), span::SpanKind::Client);
    assert_eq!(
        (exported.start_time_unix_nano, exported.end_time_unix_nano),
        (start, now + 5)
    );
    assert_eq!(value(&exported.attributes, "number"), "2");
    let [event] = &exported.events[..] else {
        panic!("not one event: {exported:#?}");
    };
    assert_eq!((&*event.name, event.time_unix_nano), ("event", now));
    assert_eq!(value(&event.attributes, "number"), "1");
    let status = exported.status.expect("an error");
    assert_eq!(status.code(), StatusCode::Error);
    assert_eq!(status.message, "described");
}

#[test]
fn a_span_takes_the_identity_of_another_and_the_other_leaves_no_trace() {
    let rig = Rig::new();
    let parent = rig.tracer.span("parent").start();
    let mut span = rig.tracer.span("span").start();
    span.write_attributes(|mut writer| writer.set(&NUMBER, 2_i64));
    let other = rig
        .tracer
        .span("other")
        .with_parent(parent.context_ref())
        .start();
    let identity = other.context_ref().clone();
    span.take_identity_of(other).discard();
    assert_eq!(*span.context_ref(), identity);
    drop(span);
    let exported = rig.only_span();
    assert_eq!(exported.name, "span");
    assert_eq!(exported.span_id, identity.span_id().to_bytes());
    let parent_id = parent.context_ref().span_id();
    assert_eq!(exported.parent_span_id, parent_id.to_bytes());
    assert_eq!(value(&exported.attributes, "number"), "2");
    drop(parent);
    let stats = rig.provider.stats();
    assert!(stats.is_balanced() && stats.open == 0, "{stats:?}");
    assert_eq!(stats.sampled, 2, "{stats:?}");
}
