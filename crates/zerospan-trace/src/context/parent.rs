use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

/// The parts of a parent's span context, but for its trace state: copied in registers.
#[derive(Clone, Copy, Debug)]
pub struct ParentIds {
    /// The id of the trace.
    pub trace_id: TraceId,
    /// The id of the span.
    pub span_id: SpanId,
    /// The flags of the trace.
    pub flags: TraceFlags,
    /// The span is one of another process.
    pub is_remote: bool,
}

impl ParentIds {
    /// The ids of no span.
    pub(crate) const NONE: Self = Self {
        trace_id: TraceId::INVALID,
        span_id: SpanId::INVALID,
        flags: TraceFlags::NOT_SAMPLED,
        is_remote: false,
    };

    #[inline]
    pub(crate) fn new(span: &SpanContext) -> Self {
        Self {
            trace_id: span.trace_id(),
            span_id: span.span_id(),
            flags: span.trace_flags(),
            is_remote: span.is_remote(),
        }
    }

    #[inline]
    /// Returns `true` if these are the ids of a span.
    pub fn is_valid(&self) -> bool {
        self.trace_id != TraceId::INVALID && self.span_id != SpanId::INVALID
    }
}

/// The parts of a parent's span context.
#[derive(Clone, Debug)]
pub(crate) struct ParentContext {
    pub(crate) ids: ParentIds,
    /// Boxed, since few traces have one.
    pub(crate) trace_state: Option<Box<TraceState>>,
}

impl ParentContext {
    /// The context of no span.
    pub(crate) const NONE: Self = Self {
        ids: ParentIds::NONE,
        trace_state: None,
    };

    /// Allocates for a trace state.
    #[inline]
    pub(crate) fn new(span: &SpanContext) -> Self {
        let trace_state = if *span.trace_state() == TraceState::NONE {
            None
        } else {
            boxed(span.trace_state())
        };
        Self {
            ids: ParentIds::new(span),
            trace_state,
        }
    }

    #[inline]
    pub(crate) fn valid_or_none(self) -> Self {
        if self.ids.is_valid() {
            self
        } else {
            Self::NONE
        }
    }

    /// Does not allocate.
    pub(crate) fn into_span_context(self) -> SpanContext {
        SpanContext::new(
            self.ids.trace_id,
            self.ids.span_id,
            self.ids.flags,
            self.ids.is_remote,
            unboxed(self.trace_state),
        )
    }
}

#[cold]
fn boxed(state: &TraceState) -> Option<Box<TraceState>> {
    Some(Box::new(state.clone()))
}

/// Returns the trace state, or the empty one.
#[inline]
pub(crate) fn unboxed(state: Option<Box<TraceState>>) -> TraceState {
    match state {
        None => TraceState::NONE,
        Some(state) => *state,
    }
}
