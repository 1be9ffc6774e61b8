use crate::attribute::{self, tag};
use crate::header::{
    END_TAG, SpanStart, count, fixed64, flags, write_head, write_tail, write_trace_state,
};
use crate::nested;
use crate::time::unix_nanos;
use crate::wire::{Cursor, Varint, append};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Event, Link};
use opentelemetry_sdk::trace::SpanData;

/// Appends a span of the stock SDK to `out`: the whole field `ScopeSpans.spans`, tag and length included.
///
/// Field for field what the official transform makes of it, attributes that share a key included; but a time after the year
/// 2554 is written as the latest there is, and an attribute of an unsupported kind is left out and counted as dropped. Its
/// scope is not part of a span: see [`EncodedScope`](crate::EncodedScope).
///
/// Allocates only where `out` has no room for the span and [`SPARE`](crate::SPARE) bytes.
pub fn encode_span_data(span: &SpanData, out: &mut Vec<u8>) {
    let context = &span.span_context;
    let start = SpanStart {
        trace_id: context.trace_id(),
        span_id: context.span_id(),
        trace_state: Some(context.trace_state()),
        trace_flags: context.trace_flags(),
        parent_span_id: span.parent_span_id,
        parent_is_remote: span.parent_span_is_remote,
        name: &span.name,
        kind: span.span_kind.clone(),
        unix_nanos: unix_nanos(span.start_time),
    };
    let end = fixed64(END_TAG, unix_nanos(span.end_time));
    // Most spans take a length of two bytes.
    let outer = nested::Open::after(out, 2);
    write_head([0x12, 0, 0], &start, end, out);
    let dropped = attributes(
        tag::SPAN,
        &span.attributes,
        span.dropped_attributes_count,
        out,
    );
    write_count(0x50, dropped, out);
    for event in &span.events.events {
        write_event(event, out);
    }
    write_count(0x60, span.events.dropped_count, out);
    for link in &span.links.links {
        write_link(link, out);
    }
    write_count(0x70, span.links.dropped_count, out);
    let flags = flags(start.trace_flags, start.parent_is_remote);
    write_tail(&span.status, flags, out);
    nested::close(out, outer);
}

/// What an attribute takes, about.
const EXPECTED_ATTRIBUTE: usize = 32;

#[inline(always)]
fn write_count(tag: u8, dropped: u32, out: &mut Vec<u8>) {
    if dropped != 0 {
        append(out, count(tag, dropped));
    }
}

/// Writes `attributes` and returns how many there are not: those `dropped` before and those that cannot be written.
#[inline(always)]
fn attributes(tag: u8, attributes: &[KeyValue], dropped: u32, out: &mut Vec<u8>) -> u32 {
    if attributes.is_empty() {
        return dropped;
    }
    write_attributes(tag, attributes, dropped, out)
}

#[inline(never)]
fn write_attributes(tag: u8, attributes: &[KeyValue], mut dropped: u32, out: &mut Vec<u8>) -> u32 {
    let mut cursor = Cursor::new(out);
    for attribute in attributes {
        let key = attribute.key.as_str();
        if attribute::write_next(&mut cursor, tag, key, &attribute.value).is_err() {
            dropped = dropped.saturating_add(1);
        }
    }
    cursor.finish();
    dropped
}

fn write_event(event: &Event, out: &mut Vec<u8>) {
    let name = &*event.name;
    let expected = 11 + name.len() + EXPECTED_ATTRIBUTE * event.attributes.len();
    let (outer, head) = nested::begin(out, 0x5a, expected);
    let time = fixed64(0x09, unix_nanos(event.timestamp));
    let name = (!name.is_empty()).then_some(([0x12], Varint(name.len() as u64), name.as_bytes()));
    append(out, (head, time, name));
    let dropped = attributes(
        tag::EVENT,
        &event.attributes,
        event.dropped_attributes_count,
        out,
    );
    write_count(0x20, dropped, out);
    nested::close(out, outer);
}

fn write_link(link: &Link, out: &mut Vec<u8>) {
    let context = &link.span_context;
    let expected = 34 + EXPECTED_ATTRIBUTE * link.attributes.len();
    let (outer, head) = nested::begin(out, 0x6a, expected);
    let (trace_id, span_id) = (context.trace_id().to_bytes(), context.span_id().to_bytes());
    append(out, (head, [0x0a, 16], trace_id, [0x12, 8], span_id));
    write_trace_state(0x1a, context.trace_state(), out);
    let dropped = attributes(
        tag::LINK,
        &link.attributes,
        link.dropped_attributes_count,
        out,
    );
    let flags = flags(context.trace_flags(), context.is_remote());
    append(out, (count(0x28, dropped), [0x35], flags));
    nested::close(out, outer);
}
