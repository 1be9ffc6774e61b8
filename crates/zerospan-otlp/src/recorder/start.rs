//! The start and the name.

use super::span_recorder::SpanRecorder;
use crate::protobuf::schema::span;
use crate::protobuf::{leading_field_len, read_varint};
use crate::span::{
    END_TIME_LEN, SpanStart, TRACE_AND_SPAN_ID_LEN, encode_flags, encode_head, kind_number,
    parent_len, trace_state_len,
};
use crate::wire::{append, text};
use opentelemetry::trace::{SpanKind, TraceState};

impl SpanRecorder {
    /// Sets the data that is known when the span starts. Keeps what was recorded before. A later call replaces an earlier one.
    ///
    /// Fastest as the first call after a [`reset`](zerospan_core::Reset::reset).
    #[inline(always)]
    pub fn begin(&mut self, start: &SpanStart<'_>) {
        if !self.span.is_empty() {
            // A copy for the function that is not inlined: the compiler keeps the original in registers.
            return self.begin_late(&start.clone());
        }
        self.encode_head(start);
        self.head.len = self.span.len();
    }

    /// Replaces the name. Does nothing before the span begins.
    pub fn rename(&mut self, name: &str) {
        if self.head.len == 0 {
            return;
        }
        let old = self.name_field_len();
        let appended = self.span.len();
        append(&mut self.span, text(span::tag::NAME, name));
        let new = self.span.len() - appended;
        self.move_to(self.head.name_at, old, new);
        self.head.len = self.head.len - old + new;
        self.keys.shift(0, old, new);
    }

    /// Replaces the ids, the trace state, the flags and the parent by those of `other`. Does nothing before both begin.
    #[doc(hidden)]
    pub fn take_identity_of(&mut self, other: &Self) {
        let Some(identity) = other.span.get(..other.head.name_at) else {
            return;
        };
        if self.head.len == 0 || other.head.len == 0 {
            return;
        }
        self.span.extend_from_slice(identity);
        let (old, new) = (self.head.name_at, identity.len());
        self.move_to(0, old, new);
        self.head.name_at = new;
        self.head.len = self.head.len - old + new;
        self.head.flags = other.head.flags;
        self.keys.shift(0, old, new);
    }

    /// Replaces the kind. Does nothing before the span begins.
    pub fn set_kind(&mut self, kind: &SpanKind) {
        if self.head.len == 0 {
            return;
        }
        // The kind follows the name: its tag, then one byte.
        let kind_at = self.head.name_at + self.name_field_len();
        if let Some(place) = self.span.get_mut(kind_at + 1) {
            *place = kind_number(kind);
        }
    }

    /// Returns the name, or an empty text before the span begins. Does not allocate.
    pub fn name(&self) -> &str {
        let rest = self.name_onwards();
        let field = rest.get(1..self.name_field_len());
        let content = field.and_then(read_varint).map(|(_, name)| name);
        content.map_or("", |name| str::from_utf8(name).unwrap_or_default())
    }

    /// Returns the length of the field with the name, or 0 if it is missing, as that of an empty name is.
    #[inline]
    fn name_field_len(&self) -> usize {
        leading_field_len(self.name_onwards(), span::tag::NAME).unwrap_or(0)
    }

    /// Returns the part of the head that begins with the name.
    #[inline]
    fn name_onwards(&self) -> &[u8] {
        let head = self.span.get(self.head.name_at..self.head.len);
        head.unwrap_or_default()
    }

    #[inline(always)]
    fn encode_head(&mut self, start: &SpanStart<'_>) {
        let state = match start.trace_state {
            Some(state) if *state != TraceState::NONE => trace_state_len(state),
            _ => 0,
        };
        self.head.name_at = TRACE_AND_SPAN_ID_LEN + state + parent_len(start.parent_span_id);
        let end = ([span::tag::END_TIME_UNIX_NANO], [0; END_TIME_LEN - 1]);
        encode_head(start, end, &mut self.span);
        self.head.flags = encode_flags(start.trace_flags, start.parent_is_remote);
    }

    /// Appends the head after the data that was recorded before, then moves it to the front.
    #[cold]
    #[inline(never)]
    fn begin_late(&mut self, start: &SpanStart<'_>) {
        let appended = self.span.len();
        self.encode_head(start);
        let (old, new) = (self.head.len, self.span.len() - appended);
        self.move_to(0, old, new);
        self.head.len = new;
        self.keys.shift(0, old, new);
    }

    /// Replaces the `old` bytes at `at` by the last `new` bytes.
    fn move_to(&mut self, at: usize, old: usize, new: usize) {
        self.span[at..].rotate_right(new);
        self.span.drain(at + new..at + new + old);
    }
}
