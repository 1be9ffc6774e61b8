//! A naive model of the recorder.

use opentelemetry::trace::{Event, Link};
use opentelemetry::{Array, KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;
use zerospan_otlp::{SpanLimits, SpanRecorder, SpanStart, unix_nanos};

/// Keeps the last value of each key in a list, and cuts values.
fn kept(attributes: &[KeyValue], max: u32, max_chars: Option<u32>) -> (Vec<KeyValue>, u32) {
    let (mut kept, mut dropped) = (Vec::<KeyValue>::new(), 0);
    for attribute in attributes {
        let mut attribute = attribute.clone();
        if let Some(max) = max_chars {
            attribute.value = cut(&attribute.value, max as usize);
        }
        if let Some(held) = kept.iter_mut().find(|held| held.key == attribute.key) {
            held.value = attribute.value;
        } else if kept.len() < max as usize {
            kept.push(attribute);
        } else {
            dropped += 1;
        }
    }
    (kept, dropped)
}

fn cut(value: &Value, max: usize) -> Value {
    let cut = |text: &str| text.chars().take(max).collect::<String>();
    match value {
        Value::String(text) => Value::String(cut(text.as_str()).into()),
        Value::Array(Array::String(texts)) => Value::Array(Array::String(
            texts.iter().map(|text| cut(text.as_str()).into()).collect(),
        )),
        other => other.clone(),
    }
}

/// The span as the recorder holds it under `limits`.
pub(crate) fn model(span: &SpanData, limits: &SpanLimits) -> SpanData {
    let mut span = span.clone();
    let max_chars = limits.max_attribute_value_length;
    let nested = |attributes: &[KeyValue], max| kept(attributes, max, max_chars);
    (span.attributes, span.dropped_attributes_count) =
        kept(&span.attributes, limits.max_attributes_per_span, max_chars);
    let (events, links) = (&mut span.events, &mut span.links);
    events.dropped_count = (events.events.len() as u32).saturating_sub(limits.max_events_per_span);
    events.events.truncate(limits.max_events_per_span as usize);
    for event in &mut events.events {
        let (attributes, dropped) = nested(&event.attributes, limits.max_attributes_per_event);
        *event = Event::new(event.name.clone(), event.timestamp, attributes, dropped);
    }
    links.dropped_count = (links.links.len() as u32).saturating_sub(limits.max_links_per_span);
    links.links.truncate(limits.max_links_per_span as usize);
    for link in &mut links.links {
        let (attributes, dropped) = nested(&link.attributes, limits.max_attributes_per_link);
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

pub(crate) fn start(span: &SpanData) -> SpanStart<'_> {
    let start = unix_nanos(span.start_time);
    let mut start = SpanStart::new(&span.span_context, &span.name, start);
    start.kind = span.span_kind.clone();
    start.parent_span_id = span.parent_span_id;
    start.parent_is_remote = span.parent_span_is_remote;
    start
}

pub(crate) fn finish(span: &SpanData, recorder: &SpanRecorder, out: &mut Vec<u8>) {
    recorder.finish(unix_nanos(span.end_time), &span.status, out);
}
