use super::SpanRecorder;
use crate::attribute::field_len;
use crate::header::{fixed64, flags, kind, write_trace_state};
use crate::view::SpanView;
use crate::wire::{Varint, append};
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, TraceFlags, TraceId, TraceState};

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
const END_TAG: u8 = 0x41;

/// Start and name.
impl SpanRecorder {
    /// Says what is known of the span when it starts. What was recorded before stays; called again, the last call counts.
    ///
    /// Fastest as the first call after a [`reset`](zerospan_core::Reset::reset).
    #[inline]
    pub fn begin(&mut self, start: &SpanStart<'_>) {
        if !self.span.is_empty() {
            return self.begin_late(start);
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
        let ids = (
            [0x0a, 16],
            start.trace_id.to_bytes(),
            [0x12, 8],
            start.span_id.to_bytes(),
        );
        let parent = start.parent_span_id;
        let name = start.name;
        let rest = (
            (parent != SpanId::INVALID).then(|| ([0x22, 8], parent.to_bytes())),
            (!name.is_empty()).then_some(([0x2a], Varint(name.len() as u64), name.as_bytes())),
            [0x30, kind(&start.kind)],
            fixed64(0x39, start.unix_nanos),
            [END_TAG],
            [0; END - 1],
        );
        let to_name = if parent == SpanId::INVALID { 0 } else { 10 };
        match start.trace_state {
            Some(state) if *state != TraceState::NONE => {
                let at = self.span.len();
                append(&mut self.span, ids);
                write_trace_state(0x1a, state, &mut self.span);
                self.head.name_at = self.span.len() - at + to_name;
                append(&mut self.span, rest);
            }
            _ => {
                self.head.name_at = 28 + to_name;
                append(&mut self.span, (ids, rest));
            }
        }
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
