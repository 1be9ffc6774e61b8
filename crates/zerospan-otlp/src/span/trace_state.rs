//! The trace state as a field: the value of the `tracestate` header, `key=value,key=value`.

use crate::protobuf::field_len;
use crate::wire::{Varint, append};
use opentelemetry::trace::TraceState;

/// Appends the trace state as the field `tag`, unless it is empty.
#[inline]
pub(crate) fn encode_trace_state(tag: u8, state: &TraceState, out: &mut Vec<u8>) {
    let length = header_len(state);
    if length != 0 {
        encode_members(tag, length, state, out);
    }
}

/// Returns the length of [`encode_trace_state`].
pub(crate) fn trace_state_len(state: &TraceState) -> usize {
    match header_len(state) {
        0 => 0,
        length => field_len(length),
    }
}

#[cold]
#[inline(never)]
fn encode_members(tag: u8, length: usize, state: &TraceState, out: &mut Vec<u8>) {
    append(out, ([tag], Varint(length as u64)));
    for (index, (key, value)) in state.into_iter().enumerate() {
        let comma = (index > 0).then_some(*b",");
        append(out, (comma, key.as_bytes(), *b"=", value.as_bytes()));
    }
}

#[inline]
fn header_len(state: &TraceState) -> usize {
    // Most spans have none, and iterating over an empty one takes two calls of the API crate.
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
