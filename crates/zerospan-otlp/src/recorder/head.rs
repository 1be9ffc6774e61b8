use super::SpanRecorder;
use crate::header::{END_TAG, SpanStart, flags, trace_state_len, write_head};
use crate::protobuf::field_len;
use crate::view::SpanView;
use crate::wire::{Varint, append};
use opentelemetry::trace::{SpanId, TraceState};

/// What stands before the attributes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Head {
    /// The bytes that it takes, the last [`END`] of which are the end's field; 0 before [`SpanRecorder::begin`].
    pub(super) len: usize,
    /// Where the field with the name stands, or would.
    name_at: usize,
    pub(super) flags: [u8; 4],
}

/// The field with the time of the end, for which room is left.
pub(super) const END: usize = 9;

/// Start and name.
impl SpanRecorder {
    /// Says what is known of the span when it starts. What was recorded before stays; called again, the last call counts.
    ///
    /// Fastest as the first call after a [`reset`](zerospan_core::Reset::reset).
    #[inline(always)]
    pub fn begin(&mut self, start: &SpanStart<'_>) {
        if !self.span.is_empty() {
            // A copy, so that otherwise it need not be in memory.
            return self.begin_late(&start.clone());
        }
        self.write_head(start);
        self.head.len = self.span.len();
    }

    /// Gives the span another name than it began with; nothing before it began.
    pub fn rename(&mut self, name: &str) {
        if self.head.len == 0 {
            return;
        }
        let old = match self.name() {
            "" => 0,
            name => field_len(name.len()),
        };
        let behind = self.span.len();
        if !name.is_empty() {
            append(
                &mut self.span,
                ([0x2a], Varint(name.len() as u64), name.as_bytes()),
            );
        }
        let new = self.span.len() - behind;
        self.move_to(self.head.name_at, old, new);
        self.head.len = self.head.len - old + new;
        self.keys.shift(0, old, new);
    }

    /// The name that the span has so far. Does not allocate.
    pub fn name(&self) -> &str {
        SpanView::new(&self.span[..self.head.len]).map_or("", |span| span.name())
    }

    #[inline(always)]
    fn write_head(&mut self, start: &SpanStart<'_>) {
        let state = match start.trace_state {
            Some(state) if *state != TraceState::NONE => trace_state_len(state),
            _ => 0,
        };
        let parent = if start.parent_span_id == SpanId::INVALID {
            0
        } else {
            10
        };
        self.head.name_at = 28 + state + parent;
        write_head(start, ([END_TAG], [0; END - 1]), &mut self.span);
        self.head.flags = flags(start.trace_flags, start.parent_is_remote);
    }

    /// Begins behind what was recorded, and puts it in its place.
    #[cold]
    #[inline(never)]
    fn begin_late(&mut self, start: &SpanStart<'_>) {
        let behind = self.span.len();
        self.write_head(start);
        let (old, new) = (self.head.len, self.span.len() - behind);
        self.move_to(0, old, new);
        self.head.len = new;
        self.keys.shift(0, old, new);
    }

    /// Puts the last `new` bytes in the place of the `old` ones at `at`.
    fn move_to(&mut self, at: usize, old: usize, new: usize) {
        self.span[at..].rotate_right(new);
        self.span.drain(at + new..at + new + old);
    }
}
