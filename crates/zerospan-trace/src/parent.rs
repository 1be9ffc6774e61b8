use opentelemetry::trace::{
    Event, Link, SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Context, KeyValue};
use std::time::SystemTime;

/// What the caller asks a new span to be.
pub(crate) struct Asked<'a> {
    pub(crate) parent: Parent<'a>,
    pub(crate) kind: SpanKind,
    pub(crate) start_time: Option<SystemTime>,
    pub(crate) content: Option<Content<'a>>,
}

/// What a span is given before it starts.
#[derive(Clone, Copy, Default)]
pub(crate) struct Content<'a> {
    pub(crate) attributes: &'a [KeyValue],
    pub(crate) events: &'a [Event],
    pub(crate) links: &'a [Link],
}

impl<'a> Asked<'a> {
    #[inline]
    pub(crate) fn child_of(parent: Parent<'a>) -> Self {
        Self {
            parent,
            kind: SpanKind::Internal,
            start_time: None,
            content: None,
        }
    }
}

/// Whose child a new span is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Parent<'a> {
    /// Of the span that is in force on this thread.
    InForce,
    /// Of the span in this context.
    In(&'a Context),
    /// Of this span.
    Is(&'a SpanContext),
    /// Of none.
    None,
}

/// A span context taken apart: small, and copied without a detour through memory as long as there is no trace state.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    pub(crate) flags: TraceFlags,
    pub(crate) is_remote: bool,
    /// Boxed, since it is rare.
    pub(crate) trace_state: Option<Box<TraceState>>,
}

impl Origin {
    /// No span at all.
    pub(crate) const NONE: Self = Self {
        trace_id: TraceId::INVALID,
        span_id: SpanId::INVALID,
        flags: TraceFlags::NOT_SAMPLED,
        is_remote: false,
        trace_state: None,
    };

    /// Allocates for a trace state.
    #[inline]
    pub(crate) fn of(span: &SpanContext) -> Self {
        let trace_state = if *span.trace_state() == TraceState::NONE {
            None
        } else {
            boxed(span.trace_state())
        };
        Self {
            trace_id: span.trace_id(),
            span_id: span.span_id(),
            flags: span.trace_flags(),
            is_remote: span.is_remote(),
            trace_state,
        }
    }

    #[inline]
    pub(crate) fn is_valid(&self) -> bool {
        self.trace_id != TraceId::INVALID && self.span_id != SpanId::INVALID
    }

    /// Allocates for a trace state.
    pub(crate) fn to_span_context(&self) -> SpanContext {
        SpanContext::new(
            self.trace_id,
            self.span_id,
            self.flags,
            self.is_remote,
            unboxed(self.trace_state.clone()),
        )
    }
}

#[cold]
fn boxed(state: &TraceState) -> Option<Box<TraceState>> {
    Some(Box::new(state.clone()))
}

/// The trace state, or the empty one.
#[inline]
pub(crate) fn unboxed(state: Option<Box<TraceState>>) -> TraceState {
    match state {
        None => TraceState::NONE,
        Some(state) => *state,
    }
}

/// What samplers and processors get to see of a parent, if there are any. Where the parent is a span that was entered
/// natively, or is named by the caller, a context is made: this allocates.
#[cold]
pub(crate) fn context_of(parent: Parent<'_>, native: Option<&Origin>) -> Context {
    let with = |origin: &Origin| {
        Context::map_current(|current| current.with_remote_span_context(origin.to_span_context()))
    };
    match (parent, native) {
        (Parent::In(context), _) => context.clone(),
        (Parent::InForce, Some(native)) => with(native),
        (Parent::InForce, None) => Context::current(),
        (Parent::Is(span), _) => with(&Origin::of(span)),
        (Parent::None, _) => with(&Origin::NONE),
    }
}
