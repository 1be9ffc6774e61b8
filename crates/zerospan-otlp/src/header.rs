use crate::attribute::field_len;
use crate::wire::{Part, Varint, append, varint_len};
use opentelemetry::trace::{SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};

/// Everything of a span but its attributes, events and links: what is known when it ends.
#[derive(Clone, Debug)]
pub(crate) struct SpanHeader<'a> {
    /// The trace's id. An invalid one is written as it is.
    pub(crate) trace_id: TraceId,
    /// The span's id. An invalid one is written as it is.
    pub(crate) span_id: SpanId,
    /// The span's trace state.
    pub(crate) trace_state: &'a TraceState,
    /// The parent's id; an invalid one says that there is none.
    pub(crate) parent_span_id: SpanId,
    /// Whether the parent came from another process.
    pub(crate) parent_is_remote: bool,
    /// The span's trace flags.
    pub(crate) trace_flags: TraceFlags,
    /// The span's name.
    pub(crate) name: &'a str,
    /// The span's kind.
    pub(crate) kind: SpanKind,
    /// When the span started, in nanoseconds since 1970.
    pub(crate) start_unix_nanos: u64,
    /// When the span ended, in nanoseconds since 1970.
    pub(crate) end_unix_nanos: u64,
    /// The span's status. The description counts only with an error.
    pub(crate) status: &'a Status,
}

impl SpanHeader<'_> {
    /// Writes `before`, then the fields that stand before the attributes.
    #[inline]
    pub(crate) fn write_head(&self, before: impl Part, out: &mut Vec<u8>) {
        let ids = (
            [0x0a, 16],
            self.trace_id.to_bytes(),
            [0x12, 8],
            self.span_id.to_bytes(),
        );
        let parent = self.parent_span_id;
        let name = self.name;
        let rest = (
            (parent != SpanId::INVALID).then(|| ([0x22, 8], parent.to_bytes())),
            (!name.is_empty()).then_some(([0x2a], Varint(name.len() as u64), name.as_bytes())),
            [0x30, kind(&self.kind)],
            fixed64(0x39, self.start_unix_nanos),
            fixed64(0x41, self.end_unix_nanos),
        );
        match header_len(self.trace_state) {
            0 => append(out, (before, ids, rest)),
            length => {
                append(out, (before, ids));
                write_members(0x1a, length, self.trace_state, out);
                append(out, rest);
            }
        }
    }

    /// The fields that stand behind the links: status and flags.
    #[inline]
    pub(crate) fn write_tail(&self, out: &mut Vec<u8>) {
        let flags = flags(self.trace_flags, self.parent_is_remote);
        write_tail(self.status, flags, out);
    }
}

/// The fields of a span that stand behind its links.
#[inline]
pub(crate) fn write_tail(of: &Status, flags: [u8; 4], out: &mut Vec<u8>) {
    if matches!(of, Status::Unset) {
        append(out, ([0x7a, 0x00, 0x85, 0x01], flags));
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
pub(crate) fn kind(kind: &SpanKind) -> u8 {
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

/// Writes the trace state as its header, `key=value,key=value`, unless it is empty.
#[inline]
pub(crate) fn write_trace_state(tag: u8, state: &TraceState, out: &mut Vec<u8>) {
    let length = header_len(state);
    if length != 0 {
        write_members(tag, length, state, out);
    }
}

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
