use super::attributes::encode_all;
use crate::protobuf::schema::scope_items;
use crate::protobuf::schema::{event, link, span};
use crate::span::{
    encode_flags, encode_tail, encode_trace_state, ids, kind_and_start, parent, unset_tail,
};
use crate::time::UnixTime;
use crate::wire::{Cursor, Encode, append, count, fixed64, short_text, text};
use opentelemetry::trace::{Event, Link, Status, TraceState};
use opentelemetry_sdk::trace::SpanData;

/// The number of attributes with which the length of an event or a link is likely to take two bytes.
const MANY_ATTRIBUTES: usize = 4;

/// Appends a span of the official SDK to `out`: the whole field `ScopeSpans.spans`, tag and length included.
///
/// Writes each field as the official transform does, repeated keys included, with two exceptions. A time after the year 2554 is
/// written as the latest time that fits. An attribute with an unsupported value is left out and counted as dropped. The scope of a
/// span is not part of it: see [`EncodedScope`](crate::EncodedScope).
///
/// Allocates only if `out` has no room for the span and [`SPARE_CAPACITY`](crate::SPARE_CAPACITY) bytes.
pub fn encode_span_data(span: &SpanData, out: &mut Vec<u8>) {
    let mut cursor = Cursor::new(out);
    encode_span(span, UnixTime::new(), &mut cursor);
    cursor.finish();
}

/// Appends a span like [`encode_span_data`], as one of many in a row.
#[inline(always)]
pub(super) fn encode_span(span: &SpanData, times: UnixTime, out: &mut Cursor<'_>) {
    let context = &span.span_context;
    let ids = ids(context.trace_id(), context.span_id());
    // The length of most spans takes two bytes.
    let field = out.open(scope_items::tag::ITEMS, true, ids);
    encode_state(span::tag::TRACE_STATE, context.trace_state(), out);
    let parent = parent(span.parent_span_id);
    let rest = (
        kind_and_start(&span.span_kind, times.nanos(span.start_time)),
        fixed64(span::tag::END_TIME_UNIX_NANO, times.nanos(span.end_time)),
    );
    match short_text(span::tag::NAME, &span.name) {
        Some(name) => out.append((parent, name, rest)),
        None => {
            let name = text(span::tag::NAME, &span.name);
            out.with_buffer(|out| append_rare(out, (parent, name, rest)));
        }
    }
    let refused = encode_all(out, span::tag::ATTRIBUTES, &span.attributes);
    let dropped = span.dropped_attributes_count;
    encode_count(span::tag::DROPPED_ATTRIBUTES_COUNT, dropped, refused, out);
    for event in &span.events.events {
        encode_event(event, times, out);
    }
    let dropped = span.events.dropped_count;
    encode_count(span::tag::DROPPED_EVENTS_COUNT, dropped, 0, out);
    for link in &span.links.links {
        encode_link(link, out);
    }
    let dropped = span.links.dropped_count;
    encode_count(span::tag::DROPPED_LINKS_COUNT, dropped, 0, out);
    let flags = encode_flags(context.trace_flags(), span.parent_span_is_remote);
    match &span.status {
        Status::Unset => out.append(unset_tail(flags)),
        status => out.with_buffer(|out| encode_tail(status, flags, out)),
    }
    out.close(field);
}

#[inline(always)]
fn encode_event(event: &Event, times: UnixTime, out: &mut Cursor<'_>) {
    let is_long = event.attributes.len() >= MANY_ATTRIBUTES;
    let time = fixed64(event::tag::TIME_UNIX_NANO, times.nanos(event.timestamp));
    let field = out.open(span::tag::EVENTS, is_long, time);
    match short_text(event::tag::NAME, &event.name) {
        Some(name) => out.append(name),
        None => out.with_buffer(|out| append_rare(out, text(event::tag::NAME, &event.name))),
    }
    let refused = encode_all(out, event::tag::ATTRIBUTES, &event.attributes);
    let dropped = event.dropped_attributes_count;
    encode_count(event::tag::DROPPED_ATTRIBUTES_COUNT, dropped, refused, out);
    out.close(field);
}

#[inline(always)]
fn encode_link(link: &Link, out: &mut Cursor<'_>) {
    let context = &link.span_context;
    let is_long = link.attributes.len() >= MANY_ATTRIBUTES;
    let ids = ids(context.trace_id(), context.span_id());
    let field = out.open(span::tag::LINKS, is_long, ids);
    encode_state(link::tag::TRACE_STATE, context.trace_state(), out);
    let refused = encode_all(out, link::tag::ATTRIBUTES, &link.attributes);
    let dropped = link.dropped_attributes_count;
    encode_count(link::tag::DROPPED_ATTRIBUTES_COUNT, dropped, refused, out);
    let flags = encode_flags(context.trace_flags(), context.is_remote());
    out.append(([link::tag::FLAGS], flags));
    out.close(field);
}

/// Appends a trace state. Most spans have none.
#[inline(always)]
fn encode_state(tag: u8, state: &TraceState, out: &mut Cursor<'_>) {
    if *state != TraceState::NONE {
        out.with_buffer(|out| encode_trace_state(tag, state, out));
    }
}

/// Appends the number of items that were dropped by the SDK and of those that were refused here.
#[inline(always)]
fn encode_count(tag: u8, dropped: u32, refused: u32, out: &mut Cursor<'_>) {
    if dropped | refused != 0 {
        let dropped = dropped.saturating_add(refused);
        out.with_buffer(|out| append_rare(out, count(tag, dropped)));
    }
}

/// Appends a value that few spans have.
#[cold]
#[inline(never)]
fn append_rare(out: &mut Vec<u8>, value: impl Encode) {
    append(out, value);
}
