//! The recorder against a naive model of it, and against the official messages.

use crate::spans;
use opentelemetry::trace::{Event, Link};
use opentelemetry::{Array, KeyValue, Value};
use opentelemetry_proto::tonic::trace::v1::{ScopeSpans, Span};
use opentelemetry_sdk::trace::SpanData;
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;
use zerospan_core::dev::{Canary, conformance};
use zerospan_core::{Attribute, Reset};
use zerospan_otlp::{RecordLimits, SpanHeader, SpanRecorder, unix_nanos};

/// What the recorder promises, in the plainest way: a list searched from the front.
fn kept(attributes: &[KeyValue], most: u32, most_chars: Option<u32>) -> (Vec<KeyValue>, u32) {
    let (mut kept, mut dropped) = (Vec::<KeyValue>::new(), 0);
    for attribute in attributes {
        let mut attribute = attribute.clone();
        if let Some(most) = most_chars {
            attribute.value = cut(&attribute.value, most as usize);
        }
        if let Some(held) = kept.iter_mut().find(|held| held.key == attribute.key) {
            held.value = attribute.value;
        } else if kept.len() < most as usize {
            kept.push(attribute);
        } else {
            dropped += 1;
        }
    }
    (kept, dropped)
}

fn cut(value: &Value, most: usize) -> Value {
    let cut = |text: &str| text.chars().take(most).collect::<String>();
    match value {
        Value::String(text) => Value::String(cut(text.as_str()).into()),
        Value::Array(Array::String(texts)) => Value::Array(Array::String(
            texts.iter().map(|text| cut(text.as_str()).into()).collect(),
        )),
        other => other.clone(),
    }
}

/// The span as the recorder holds it under `limits`.
fn model(span: &SpanData, limits: &RecordLimits) -> SpanData {
    let mut span = span.clone();
    let most_chars = limits.value_length;
    let nested = |attributes: &[KeyValue], most| kept(attributes, most, most_chars);
    (span.attributes, span.dropped_attributes_count) =
        kept(&span.attributes, limits.attributes, most_chars);
    let (events, links) = (&mut span.events, &mut span.links);
    events.dropped_count = (events.events.len() as u32).saturating_sub(limits.events);
    events.events.truncate(limits.events as usize);
    for event in &mut events.events {
        let (attributes, dropped) = nested(&event.attributes, limits.attributes_per_event);
        *event = Event::new(event.name.clone(), event.timestamp, attributes, dropped);
    }
    links.dropped_count = (links.links.len() as u32).saturating_sub(limits.links);
    links.links.truncate(limits.links as usize);
    for link in &mut links.links {
        let (attributes, dropped) = nested(&link.attributes, limits.attributes_per_link);
        *link = Link::new(link.span_context.clone(), attributes, dropped);
    }
    span
}

pub(crate) fn record(span: &SpanData, recorder: &mut SpanRecorder) {
    for attribute in &span.attributes {
        recorder.set_attribute(attribute.into());
    }
    for event in &span.events.events {
        recorder.add_event(&event.name, unix_nanos(event.timestamp), &event.attributes);
    }
    for link in &span.links.links {
        recorder.add_link(&link.span_context, &link.attributes);
    }
}

pub(crate) fn header(span: &SpanData) -> SpanHeader<'_> {
    let mut header = SpanHeader::new(&span.span_context, &span.name, span.span_kind.clone());
    header.parent_span_id = span.parent_span_id;
    header.parent_is_remote = span.parent_span_is_remote;
    header.start_unix_nanos = unix_nanos(span.start_time);
    header.end_unix_nanos = unix_nanos(span.end_time);
    header.status = &span.status;
    header
}

fn limits() -> impl Strategy<Value = RecordLimits> {
    let few = || prop_oneof![Just(128_u32), Just(u32::MAX), 0_u32..5];
    let length = prop_oneof![3 => Just(None), 1 => (0_u32..40).prop_map(Some)];
    (vec(few(), 5), length).prop_map(|(few, length)| {
        let mut limits = RecordLimits::default();
        limits.attributes = few[0];
        limits.events = few[1];
        limits.links = few[2];
        limits.attributes_per_event = few[3];
        limits.attributes_per_link = few[4];
        limits.value_length = length;
        limits
    })
}

/// Attributes over few keys, so that many are set again.
fn repeating() -> impl Strategy<Value = Vec<KeyValue>> {
    vec((0_usize..60, spans::value()), 0..150).prop_map(|attributes| {
        let pairs = attributes.into_iter();
        pairs
            .map(|(key, value)| KeyValue::new("k".repeat(key), value))
            .collect()
    })
}

proptest! {
    #[test]
    fn a_recorded_span_is_the_models_byte_for_byte(
        uses in vec((spans::span(), repeating(), any::<bool>()), 1..4),
        limits in limits(),
    ) {
        let mut recorder = SpanRecorder::with_limits(limits);
        for (mut span, repeating, repeats) in uses {
            if repeats {
                span.attributes = repeating;
            }
            recorder.reset();
            record(&span, &mut recorder);
            let mut ours = b"before".to_vec();
            recorder.finish(&header(&span), &mut ours);
            let ours = &ours[6..];
            prop_assert_eq!(recorder.encoded_len(&header(&span)), ours.len());

            let expected = ScopeSpans {
                spans: vec![Span::from(model(&span, &limits))],
                ..ScopeSpans::default()
            };
            prop_assert_eq!(&ScopeSpans::decode(ours)?, &expected);
            prop_assert_eq!(expected.encode_to_vec(), ours);
        }
    }
}
