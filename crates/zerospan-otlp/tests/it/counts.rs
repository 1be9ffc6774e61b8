//! The numbers that a recorder tells of itself, and the limits that it keeps.

use crate::contract::fill;
use crate::decoded;
use opentelemetry::trace::{SpanContext, Status};
use opentelemetry_proto::tonic::common::v1;
use std::hash::{DefaultHasher, Hash, Hasher};
use zerospan_core::dev::Canary;
use zerospan_core::{Attribute, AttributeSink, Footprint, Reset};
use zerospan_otlp::{
    AttributeBuffer, AttributeWriter, LogRecordLimits, LogRecordRecorder, ScopeSpansView,
    SpanLimits, SpanRecorder, SpanStart, StaticKey,
};

#[test]
fn a_writer_tells_how_many_attributes_it_has_set_and_dropped() {
    let mut limits = SpanLimits::default();
    limits.max_attributes_per_event = 2;
    limits.max_attributes_per_link = 2;
    let mut recorder = SpanRecorder::with_limits(limits);
    let write = |writer: &mut AttributeWriter<'_>| {
        let mut told = Vec::new();
        for key in ["a", "a", "b", "c"] {
            told.push((writer.is_empty(), writer.len(), writer.dropped()));
            writer.set_attribute(Attribute::new(key, 1));
        }
        told.push((writer.is_empty(), writer.len(), writer.dropped()));
        assert_eq!(
            told,
            [
                (true, 0, 0),
                (false, 1, 0),
                (false, 1, 0),
                (false, 2, 0),
                (false, 2, 1)
            ]
        );
    };
    for _ in 0..2 {
        assert!(recorder.add_event_with("event", 1, write));
        assert!(recorder.add_link_with(&SpanContext::NONE, write));
    }
}

#[test]
fn a_recorder_tells_how_much_it_holds_and_how_much_was_dropped() {
    let mut limits = SpanLimits::default();
    limits.max_attributes_per_span = 3;
    limits.max_events_per_span = 4;
    limits.max_links_per_span = 5;
    let mut recorder = SpanRecorder::with_limits(limits);
    let mut buffer = AttributeBuffer::new();
    buffer.event_writer(&limits).extend(&[("key", 1)]);
    let told = |recorder: &SpanRecorder| {
        let held = [
            recorder.attribute_count(),
            recorder.event_count(),
            recorder.link_count(),
        ];
        let dropped = [
            recorder.dropped_attributes(),
            recorder.dropped_events(),
            recorder.dropped_links(),
        ];
        (held, dropped)
    };
    for number in 0..8_u32 {
        recorder.set_attribute(Attribute::new(&format!("key.{number}"), 1));
        let (is_even, is_held) = (number % 2 == 0, number < limits.max_events_per_span);
        let is_added = match is_even {
            true => recorder.add_event("event", 1, &[("key", 1)]),
            false => recorder.add_event_from("event", 1, &buffer),
        };
        assert_eq!(is_added, is_held);
        let is_added = recorder.add_link(&SpanContext::NONE, &[("key", 1)]);
        assert_eq!(is_added, number < limits.max_links_per_span);
        let count = number + 1;
        let held = [count.min(3), count.min(4), count.min(5)];
        assert_eq!(told(&recorder), (held, held.map(|held| count - held)));
    }
    recorder.count_dropped_attributes(10);
    recorder.count_dropped_events(20);
    recorder.count_dropped_links(30);
    assert_eq!(told(&recorder), ([3, 4, 5], [15, 24, 33]));
    for count in [u32::MAX, 1] {
        recorder.count_dropped_attributes(count);
        recorder.count_dropped_events(count);
        recorder.count_dropped_links(count);
    }
    assert_eq!(told(&recorder), ([3, 4, 5], [u32::MAX; 3]));
    recorder.reset();
    assert_eq!(told(&recorder), ([0; 3], [0; 3]));
}

#[test]
fn whatever_a_span_holds_beside_attributes_is_written_and_then_reset() {
    let mut recorder = SpanRecorder::new();
    // Each of the five is 0, 1 or 2.
    for number in 0..3_u32.pow(5) {
        let counts = [1, 3, 9, 27, 81].map(|place| number / place % 3);
        let [events, links, attributes, more_events, more_links] = counts;
        recorder.begin(&SpanStart::new(&SpanContext::NONE, "name", 1));
        (0..events).for_each(|_| assert!(recorder.add_event("event", 1, &[("key", 1)])));
        (0..links).for_each(|_| assert!(recorder.add_link(&SpanContext::NONE, &[("key", 1)])));
        recorder.count_dropped_attributes(attributes);
        recorder.count_dropped_events(more_events);
        recorder.count_dropped_links(more_links);
        let mut out = Vec::new();
        recorder.finish(2, &Status::Unset, &mut out);
        let written = decoded::scope_spans(&ScopeSpansView::new(&out).unwrap()).unwrap();
        let span = &written.spans[0];
        let written = [
            span.events.len() as u32,
            span.links.len() as u32,
            span.dropped_attributes_count,
            span.dropped_events_count,
            span.dropped_links_count,
        ];
        assert_eq!(written, counts);
        recorder.reset();
    }
}

#[test]
fn limits_that_change_hold_for_what_follows() {
    let mut recorder = SpanRecorder::new();
    let mut limits = SpanLimits::default();
    recorder.set_attribute(Attribute::new("before", "a long text"));
    limits.max_attributes_per_span = 3;
    limits.max_attribute_value_length = Some(4);
    limits.keep_repeated_keys = true;
    recorder.set_limits(limits);
    assert_eq!(recorder.limits().max_attributes_per_span, 3);
    recorder.set_attribute(Attribute::new("key", "a long text"));
    recorder.set_attribute(Attribute::new("key", "later"));
    recorder.set_attribute(Attribute::new("beyond", 1));
    recorder.add_event("event", 1, &[("key", "once"), ("key", "twice")]);
    let mut out = Vec::new();
    recorder.finish(2, &Status::Unset, &mut out);
    let span = decoded::scope_spans(&ScopeSpansView::new(&out).unwrap()).unwrap();
    let texts = |attributes: &[v1::KeyValue]| {
        let texts = attributes.iter().map(|attribute| {
            let value = attribute.value.as_ref().and_then(|it| it.value.clone());
            match value {
                Some(v1::any_value::Value::StringValue(text)) => text,
                other => panic!("no text: {other:?}"),
            }
        });
        texts.collect::<Vec<_>>()
    };
    let span = &span.spans[0];
    assert_eq!(texts(&span.attributes), ["a long text", "a lo", "late"]);
    assert_eq!(span.dropped_attributes_count, 1);
    assert_eq!(texts(&span.events[0].attributes), ["once", "twic"]);
}

#[test]
fn the_memory_of_every_part_of_a_recorder_is_counted() {
    let mut recorder = SpanRecorder::with_capacity(SpanLimits::NONE, 3_000, 1_000);
    assert_eq!(recorder.heap_bytes(), 5_000);
    recorder.reserve_attributes(100);
    let with_keys = recorder.heap_bytes();
    // A position and a hash of each.
    assert!(with_keys >= 5_000 + 100 * 12, "{with_keys}");
    let many = Canary::new(3).attributes(100);
    recorder.add_event("event", 1, &many[..17]);
    let with_nested_keys = recorder.heap_bytes();
    assert!(with_nested_keys > with_keys, "{with_nested_keys}");
    let mut log_record = LogRecordRecorder::with_limits(LogRecordLimits::NONE);
    assert_eq!(log_record.heap_bytes(), 0);
    log_record.reserve_attributes(100);
    assert!(log_record.heap_bytes() >= 100 * 12);
    let mut few = LogRecordLimits::default();
    few.max_attributes = 17;
    let mut few = LogRecordRecorder::with_limits(few);
    few.reserve_attributes(100_000);
    assert!(few.heap_bytes() < 2_000, "no more than the limit admits");
}

#[test]
fn the_bytes_that_are_recorded_are_those_that_are_written_with_the_end() {
    let mut canary = Canary::new(8);
    let mut recorder = SpanRecorder::new();
    let mut log_record = LogRecordRecorder::new();
    assert_eq!(
        (recorder.recorded_bytes(), log_record.recorded_bytes()),
        (0, 0)
    );
    fill(&mut recorder, &mut canary);
    let recorded = recorder.recorded_bytes();
    let written = recorder.encoded_len(1, &Status::Unset);
    // The counts of what was dropped, the status, the flags, and the tag and the length of all are not recorded.
    assert!(
        (written - 24..written).contains(&recorded),
        "{recorded} of {written}"
    );
    log_record.set_body("a body");
    let with_body = log_record.recorded_bytes();
    assert!(with_body >= 6);
    log_record.extend(&canary.attributes(3));
    assert!(log_record.recorded_bytes() >= with_body + 3 * 8);
    assert!(log_record.recorded_bytes() < log_record.encoded_len());
}

#[test]
fn a_constant_key_hashes_as_its_text() {
    let hash = |value: &dyn Fn(&mut DefaultHasher)| {
        let mut hasher = DefaultHasher::new();
        value(&mut hasher);
        hasher.finish()
    };
    for text in ["", "a", "http.route"] {
        let key = StaticKey::new(text);
        assert_eq!(
            hash(&|hasher| key.hash(hasher)),
            hash(&|hasher| text.hash(hasher))
        );
        assert_eq!(key, StaticKey::new(text));
        assert_ne!(key, StaticKey::new("other"));
    }
}
