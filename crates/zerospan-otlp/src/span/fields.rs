//! The fields that the recorder and the encoder of the SDK's spans have in common.

use super::start::SpanStart;
use super::trace_state::encode_trace_state;
use crate::protobuf::field_len;
use crate::protobuf::schema::span::tag;
use crate::protobuf::schema::status;
use crate::wire::{Encode, Varint, append, fixed64, text};
use opentelemetry::trace::{SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};

/// The length of [`ids`].
pub(crate) const TRACE_AND_SPAN_ID_LEN: usize = 2 + 16 + 2 + 8;

/// The length of the field with the end time.
pub(crate) const END_TIME_LEN: usize = 1 + 8;

/// The length of the field with the flags.
pub(crate) const FLAGS_LEN: usize = 2 + 4;

/// Encodes the ids of a span or of the span that a link refers to.
#[inline(always)]
pub(crate) fn ids(trace_id: TraceId, span_id: SpanId) -> impl Encode {
    let (trace_id, span_id) = (trace_id.to_bytes(), span_id.to_bytes());
    ([tag::TRACE_ID, 16], trace_id, [tag::SPAN_ID, 8], span_id)
}

// The ids of a link have the same tags as those of a span.
const _: () = {
    use crate::protobuf::schema::link;
    assert!(link::tag::TRACE_ID == tag::TRACE_ID && link::tag::SPAN_ID == tag::SPAN_ID);
    assert!(link::tag::TRACE_STATE == tag::TRACE_STATE);
};

/// Encodes the id of the parent, if there is one.
#[inline(always)]
pub(crate) fn parent(parent: SpanId) -> impl Encode {
    (parent != SpanId::INVALID).then(|| ([tag::PARENT_SPAN_ID, 8], parent.to_bytes()))
}

/// Returns the length of [`parent`].
#[inline(always)]
pub(crate) fn parent_len(parent: SpanId) -> usize {
    if parent == SpanId::INVALID { 0 } else { 2 + 8 }
}

/// Encodes the kind and the start time: the fields between the name and the end time.
#[inline(always)]
pub(crate) fn kind_and_start(kind: &SpanKind, unix_nanos: u64) -> impl Encode + use<> {
    let kind = [tag::KIND, kind_number(kind)];
    (kind, fixed64(tag::START_TIME_UNIX_NANO, unix_nanos))
}

/// Appends the fields before the attributes, of which the last is `end`.
#[inline(always)]
pub(crate) fn encode_head(start: &SpanStart<'_>, end: impl Encode, out: &mut Vec<u8>) {
    let ids = ids(start.trace_id, start.span_id);
    let rest = (
        parent(start.parent_span_id),
        text(tag::NAME, start.name),
        kind_and_start(&start.kind, start.unix_nanos),
        end,
    );
    match start.trace_state {
        // Most spans have none, and iterating over an empty one takes two calls of the API crate.
        Some(state) if *state != TraceState::NONE => {
            append(out, ids);
            encode_trace_state(tag::TRACE_STATE, state, out);
            append(out, rest);
        }
        _ => append(out, (ids, rest)),
    }
}

/// Encodes the fields after the links, if the status is unset. The status is then present and empty.
#[inline(always)]
pub(crate) fn unset_tail(flags: [u8; 4]) -> impl Encode {
    const STATUS_AND_FLAGS: [u8; 4] = [tag::STATUS, 0, tag::FLAGS[0], tag::FLAGS[1]];
    (STATUS_AND_FLAGS, flags)
}

/// Appends the fields after the links: the status and the flags.
#[inline]
pub(crate) fn encode_tail(status: &Status, flags: [u8; 4], out: &mut Vec<u8>) {
    if matches!(status, Status::Unset) {
        append(out, unset_tail(flags));
        return;
    }
    let (code, message) = code_and_message(status);
    append(
        out,
        (
            [tag::STATUS],
            Varint(status_len(status) as u64),
            text(status::tag::MESSAGE, message),
            (code != 0).then_some([status::tag::CODE, code]),
            tag::FLAGS,
            flags,
        ),
    );
}

/// Returns the length of the content of a status.
#[inline]
pub(crate) fn status_len(status: &Status) -> usize {
    let (code, message) = code_and_message(status);
    let message = if message.is_empty() {
        0
    } else {
        field_len(message.len())
    };
    message + if code == 0 { 0 } else { 2 }
}

/// Encodes flags: the trace flags, then `HAS_IS_REMOTE`, which is always set, and `IS_REMOTE`.
#[inline]
pub(crate) fn encode_flags(flags: TraceFlags, is_remote: bool) -> [u8; 4] {
    [flags.to_u8(), 1 | (u8::from(is_remote) << 1), 0, 0]
}

#[inline]
pub(crate) fn kind_number(kind: &SpanKind) -> u8 {
    match kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    }
}

#[inline]
fn code_and_message(status: &Status) -> (u8, &str) {
    match status {
        Status::Unset => (0, ""),
        Status::Ok => (1, ""),
        Status::Error { description } => (2, description),
    }
}
