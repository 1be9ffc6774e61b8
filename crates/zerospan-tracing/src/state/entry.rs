use super::scratch::Scratch;
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use tracing_core::Metadata;
use zerospan_trace::Span;
use zerospan_trace::layer::Moment;

/// An open span of a layer.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) span: Span,
    pub(crate) metadata: &'static Metadata<'static>,
    /// A child, a link or a reader has used the ids: the parent cannot change any more.
    pub(crate) is_used: bool,
    pub(crate) timing: Timing,
    /// The fields of a span that is not recorded, if it may get a parent that is.
    pub(crate) pending: Option<Box<Scratch>>,
    /// The context that was set as the parent, for what it has besides its span.
    pub(crate) parent: Option<Context>,
    /// The context that is attached while the span is entered, if the layer activates contexts.
    pub(crate) activated: Option<Context>,
}

/// The times of a span that is entered and exited, in nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Timing {
    /// The number of enters without an exit, on all threads.
    pub(crate) entered: u32,
    /// The time of the last exit or write, since 1970. 0 before the first.
    pub(crate) end: u64,
    /// The time of the last change between busy and idle.
    pub(crate) changed: u64,
    pub(crate) busy: u64,
    pub(crate) idle: u64,
}

impl Timing {
    #[inline]
    pub(crate) fn new(now: &Moment) -> Self {
        Self {
            changed: now.steady_nanos(),
            ..Self::default()
        }
    }

    #[inline]
    pub(crate) fn enter(&mut self, now: &Moment) {
        if self.entered == 0 {
            let now = now.steady_nanos();
            self.idle += now.saturating_sub(self.changed);
            self.changed = now;
        }
        self.entered = self.entered.saturating_add(1);
    }

    #[inline]
    pub(crate) fn exit(&mut self, now: &Moment) {
        if self.entered == 1 {
            let now = now.steady_nanos();
            self.busy += now.saturating_sub(self.changed);
            self.changed = now;
        }
        self.entered = self.entered.saturating_sub(1);
    }
}

impl Entry {
    #[inline]
    pub(crate) fn new(span: Span, metadata: &'static Metadata<'static>, timing: Timing) -> Self {
        Self {
            span,
            metadata,
            is_used: false,
            timing,
            pending: None,
            parent: None,
            activated: None,
        }
    }

    /// Notes that the span was exited or written to at `now`.
    #[inline]
    pub(crate) fn touch(&mut self, now: &Moment) {
        self.timing.end = self.timing.end.max(self.span.unix_nanos_at(now));
    }

    /// Returns the span's context, which cannot change from now on.
    pub(crate) fn use_context(&mut self) -> SpanContext {
        self.is_used = true;
        self.span.context_ref().clone()
    }
}

/// The context of a span that is closed, but for its trace state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClosedSpan {
    trace_id: TraceId,
    span_id: SpanId,
    flags: TraceFlags,
    is_remote: bool,
}

impl ClosedSpan {
    #[inline]
    pub(crate) fn new(entry: &mut Entry) -> Self {
        let context = entry.span.context_ref();
        Self {
            trace_id: context.trace_id(),
            span_id: context.span_id(),
            flags: context.trace_flags(),
            is_remote: context.is_remote(),
        }
    }

    pub(crate) fn span_context(&self) -> SpanContext {
        SpanContext::new(
            self.trace_id,
            self.span_id,
            self.flags,
            self.is_remote,
            TraceState::NONE,
        )
    }
}
