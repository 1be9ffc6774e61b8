use crate::attribute::{tag, write_all};
use crate::header::{
    END_TAG, count, fixed64, flags, ids, kind_and_start, parent, short_text, text, unset_tail,
    write_tail, write_trace_state,
};
use crate::time::UnixTime;
use crate::wire::{Cursor, Part, append};
use opentelemetry::trace::{Event, Link, Status, TraceState};
use opentelemetry_sdk::trace::SpanData;

/// Appends a span of the stock SDK to `out`: the whole field `ScopeSpans.spans`, tag and length included.
///
/// Field for field what the official transform makes of it, attributes that share a key included; but a time after the year
/// 2554 is written as the latest there is, and an attribute of an unsupported kind is left out and counted as dropped. Its
/// scope is not part of a span: see [`EncodedScope`](crate::EncodedScope).
///
/// Allocates only where `out` has no room for the span and [`SPARE_CAPACITY`](crate::SPARE_CAPACITY) bytes.
pub fn encode_span_data(span: &SpanData, out: &mut Vec<u8>) {
    let mut cursor = Cursor::new(out);
    write_span(span, UnixTime::new(), &mut cursor);
    cursor.finish();
}

/// As [`encode_span_data`], one of many in a row.
#[inline(always)]
pub(crate) fn write_span(span: &SpanData, times: UnixTime, out: &mut Cursor<'_>) {
    let context = &span.span_context;
    let ids = ids(context.trace_id(), context.span_id());
    // Most spans take a length of two bytes.
    let field = out.open(0x12, true, ids);
    write_state(context.trace_state(), out);
    let parent = parent(span.parent_span_id);
    let rest = (
        kind_and_start(&span.span_kind, times.nanos(span.start_time)),
        fixed64(END_TAG, times.nanos(span.end_time)),
    );
    match short_text(0x2a, &span.name) {
        Some(name) => out.append((parent, name, rest)),
        None => out.with(|out| write_apart(out, (parent, text(0x2a, &span.name), rest))),
    }
    let refused = write_all(out, tag::SPAN, &span.attributes);
    write_count(0x50, span.dropped_attributes_count, refused, out);
    for event in &span.events.events {
        write_event(event, times, out);
    }
    write_count(0x60, span.events.dropped_count, 0, out);
    for link in &span.links.links {
        write_link(link, out);
    }
    write_count(0x70, span.links.dropped_count, 0, out);
    let flags = flags(context.trace_flags(), span.parent_span_is_remote);
    match &span.status {
        Status::Unset => out.append(unset_tail(flags)),
        status => out.with(|out| write_tail(status, flags, out)),
    }
    out.close(field);
}

/// Writes a trace state, of which most spans have none.
#[inline(always)]
fn write_state(state: &TraceState, out: &mut Cursor<'_>) {
    if *state != TraceState::NONE {
        out.with(|out| write_trace_state(0x1a, state, out));
    }
}

/// Writes what few spans have.
#[cold]
#[inline(never)]
fn write_apart(out: &mut Vec<u8>, part: impl Part) {
    append(out, part);
}

/// Writes how many there were that are not here: `dropped` by the SDK, `refused` by us.
#[inline(always)]
fn write_count(tag: u8, dropped: u32, refused: u32, out: &mut Cursor<'_>) {
    if dropped | refused != 0 {
        out.with(|out| write_apart(out, count(tag, dropped.saturating_add(refused))));
    }
}

/// As many attributes as make an event or a link take a length of two bytes, about.
const MANY: usize = 4;

#[inline(always)]
fn write_event(event: &Event, times: UnixTime, out: &mut Cursor<'_>) {
    let is_long = event.attributes.len() >= MANY;
    let time = fixed64(0x09, times.nanos(event.timestamp));
    let field = out.open(0x5a, is_long, time);
    match short_text(0x12, &event.name) {
        Some(name) => out.append(name),
        None => out.with(|out| write_apart(out, text(0x12, &event.name))),
    }
    let refused = write_all(out, tag::EVENT, &event.attributes);
    write_count(0x20, event.dropped_attributes_count, refused, out);
    out.close(field);
}

#[inline(always)]
fn write_link(link: &Link, out: &mut Cursor<'_>) {
    let context = &link.span_context;
    let is_long = link.attributes.len() >= MANY;
    let ids = ids(context.trace_id(), context.span_id());
    let field = out.open(0x6a, is_long, ids);
    write_state(context.trace_state(), out);
    let refused = write_all(out, tag::LINK, &link.attributes);
    write_count(0x28, link.dropped_attributes_count, refused, out);
    let flags = flags(context.trace_flags(), context.is_remote());
    out.append(([0x35], flags));
    out.close(field);
}
