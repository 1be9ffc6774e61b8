use crate::protobuf::field_len;
use crate::protobuf::varint_len;
#[cfg(feature = "sdk")]
use crate::wire::Short;
use crate::wire::{Part, Varint, append};
use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};

/// Everything of a span that is known when it starts.
#[derive(Clone, Debug)]
pub struct SpanStart<'a> {
    /// The trace's id. An invalid one is written as it is.
    pub trace_id: TraceId,
    /// The span's id. An invalid one is written as it is.
    pub span_id: SpanId,
    /// The span's trace state, if it has one.
    pub trace_state: Option<&'a TraceState>,
    /// The span's trace flags.
    pub trace_flags: TraceFlags,
    /// The parent's id; an invalid one says that there is none.
    pub parent_span_id: SpanId,
    /// Whether the parent came from another process.
    pub parent_is_remote: bool,
    /// The span's name.
    pub name: &'a str,
    /// The span's kind.
    pub kind: SpanKind,
    /// When the span started, in nanoseconds since 1970.
    pub unix_nanos: u64,
}

impl<'a> SpanStart<'a> {
    /// An internal span without a parent, that starts at `unix_nanos`, nanoseconds since 1970. Does not allocate.
    #[inline]
    pub fn new(context: &'a SpanContext, name: &'a str, unix_nanos: u64) -> Self {
        Self {
            trace_id: context.trace_id(),
            span_id: context.span_id(),
            trace_state: Some(context.trace_state()),
            trace_flags: context.trace_flags(),
            parent_span_id: SpanId::INVALID,
            parent_is_remote: false,
            name,
            kind: SpanKind::Internal,
            unix_nanos,
        }
    }
}

/// The tag of the time of the end.
pub(crate) const END_TAG: u8 = 0x41;

/// The ids of a span, or of what a link leads to.
#[inline(always)]
pub(crate) fn ids(trace_id: TraceId, span_id: SpanId) -> impl Part {
    let (trace_id, span_id) = (trace_id.to_bytes(), span_id.to_bytes());
    ([0x0a, 16], trace_id, [0x12, 8], span_id)
}

/// A text, which is left out if it is empty, in a field with a tag of one byte.
#[inline(always)]
pub(crate) fn text(tag: u8, text: &str) -> Option<impl Part> {
    (!text.is_empty()).then_some(([tag], Varint(text.len() as u64), text.as_bytes()))
}

/// As [`text`], if its length takes one byte; `None` also if it is empty.
#[cfg(feature = "sdk")]
#[inline(always)]
pub(crate) fn short_text(tag: u8, text: &str) -> Option<impl Part> {
    Short::some(text.as_bytes()).map(|text| ([tag, text.len() as u8], text))
}

/// The parent's id.
#[inline(always)]
pub(crate) fn parent(parent: SpanId) -> impl Part {
    (parent != SpanId::INVALID).then(|| ([0x22, 8], parent.to_bytes()))
}

/// The fields behind the name and before the time of the end.
#[inline(always)]
pub(crate) fn kind_and_start(of: &SpanKind, unix_nanos: u64) -> impl Part + use<> {
    ([0x30, kind(of)], fixed64(0x39, unix_nanos))
}

/// Writes the fields of a span that stand before its attributes, of which the last is `end`.
#[inline(always)]
pub(crate) fn write_head(start: &SpanStart<'_>, end: impl Part, out: &mut Vec<u8>) {
    let ids = ids(start.trace_id, start.span_id);
    let rest = (
        parent(start.parent_span_id),
        text(0x2a, start.name),
        kind_and_start(&start.kind, start.unix_nanos),
        end,
    );
    match start.trace_state {
        // Most spans have none, and to walk through nothing takes the API crate two calls.
        Some(state) if *state != TraceState::NONE => {
            append(out, ids);
            write_trace_state(0x1a, state, out);
            append(out, rest);
        }
        _ => append(out, (ids, rest)),
    }
}

/// The fields of a span that stand behind its links, if its status is unset, which is there all the same.
#[inline(always)]
pub(crate) fn unset_tail(flags: [u8; 4]) -> impl Part {
    ([0x7a, 0x00, 0x85, 0x01], flags)
}

/// The fields of a span that stand behind its links.
#[inline]
pub(crate) fn write_tail(of: &Status, flags: [u8; 4], out: &mut Vec<u8>) {
    if matches!(of, Status::Unset) {
        append(out, unset_tail(flags));
        return;
    }
    let (code, message) = status(of);
    append(
        out,
        (
            [0x7a],
            Varint(status_len(of) as u64),
            (!message.is_empty()).then_some((
                [0x12],
                Varint(message.len() as u64),
                message.as_bytes(),
            )),
            (code != 0).then_some([0x18, code]),
            [0x85, 0x01],
            flags,
        ),
    );
}

/// The bytes of the flags, their tag included.
pub(crate) const FLAGS_LEN: usize = 6;

/// The trace flags, then whether what they belong to is known to be remote, which it always is, and whether it is.
#[inline]
pub(crate) fn flags(flags: TraceFlags, is_remote: bool) -> [u8; 4] {
    [flags.to_u8(), 1 | (u8::from(is_remote) << 1), 0, 0]
}

/// A field of 8 bytes that is left out if it is 0.
#[inline(always)]
pub(crate) fn fixed64(tag: u8, value: u64) -> Option<([u8; 1], [u8; 8])> {
    (value != 0).then(|| ([tag], value.to_le_bytes()))
}

/// A count that is left out if it is 0, in a field with a tag of one byte.
#[inline(always)]
pub(crate) fn count(tag: u8, count: u32) -> Option<([u8; 1], Varint)> {
    (count != 0).then(|| ([tag], Varint(count.into())))
}

/// The bytes of [`count`].
#[inline(always)]
pub(crate) fn count_len(count: u32) -> usize {
    if count == 0 {
        0
    } else {
        1 + varint_len(count.into())
    }
}

#[inline]
fn kind(kind: &SpanKind) -> u8 {
    match kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    }
}

/// The code and the message that are written for a status.
#[inline]
fn status(status: &Status) -> (u8, &str) {
    match status {
        Status::Unset => (0, ""),
        Status::Ok => (1, ""),
        Status::Error { description } => (2, description),
    }
}

#[inline]
pub(crate) fn status_len(of: &Status) -> usize {
    let (code, message) = status(of);
    let message = if message.is_empty() {
        0
    } else {
        field_len(message.len())
    };
    message + if code == 0 { 0 } else { 2 }
}

/// The bytes of [`write_trace_state`].
pub(crate) fn trace_state_len(state: &TraceState) -> usize {
    match header_len(state) {
        0 => 0,
        length => field_len(length),
    }
}

/// Writes the trace state as its header, `key=value,key=value`, unless it is empty.
#[inline]
pub(crate) fn write_trace_state(tag: u8, state: &TraceState, out: &mut Vec<u8>) {
    let length = header_len(state);
    if length != 0 {
        write_members(tag, length, state, out);
    }
}

#[cold]
#[inline(never)]
fn write_members(tag: u8, length: usize, state: &TraceState, out: &mut Vec<u8>) {
    append(out, ([tag], Varint(length as u64)));
    for (index, (key, value)) in state.into_iter().enumerate() {
        let comma = (index > 0).then_some(*b",");
        append(out, (comma, key.as_bytes(), *b"=", value.as_bytes()));
    }
}

#[inline]
fn header_len(state: &TraceState) -> usize {
    // Most spans have none, and to walk through nothing takes the API crate two calls.
    if *state == TraceState::NONE {
        return 0;
    }
    let mut members = 0;
    let mut length = 0;
    for (key, value) in state {
        members += 1;
        length += key.len() + 1 + value.len();
    }
    // A comma between each two.
    length + usize::saturating_sub(members, 1)
}
