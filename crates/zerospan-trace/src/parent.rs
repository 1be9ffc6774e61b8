use crate::scope::ScopeStack;
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

    /// Whether nothing is asked but a child of the span in force.
    #[inline(always)]
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self.parent, Parent::InForce)
            && self.start_time.is_none()
            && self.content.is_none()
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

/// A span context taken apart, but for its trace state: copied without a detour through memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lineage {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    pub(crate) flags: TraceFlags,
    pub(crate) is_remote: bool,
}

impl Lineage {
    /// No span at all.
    pub(crate) const NONE: Self = Self {
        trace_id: TraceId::INVALID,
        span_id: SpanId::INVALID,
        flags: TraceFlags::NOT_SAMPLED,
        is_remote: false,
    };

    #[inline]
    fn of(span: &SpanContext) -> Self {
        Self {
            trace_id: span.trace_id(),
            span_id: span.span_id(),
            flags: span.trace_flags(),
            is_remote: span.is_remote(),
        }
    }

    #[inline]
    fn is_valid(&self) -> bool {
        self.trace_id != TraceId::INVALID && self.span_id != SpanId::INVALID
    }

    /// Becomes the span that is in force on this thread, if one is, and is valid. `false` where telemetry is suppressed, or
    /// the span has a trace state.
    #[inline]
    pub(crate) fn find(&mut self, scopes: &ScopeStack) -> bool {
        Context::map_current(|current| {
            if current.is_telemetry_suppressed() {
                return false;
            }
            if current.has_active_span() {
                return self.find_in(current, scopes);
            }
            scopes.is_empty() || self.find_native(scopes, SpanId::INVALID)
        })
    }

    fn find_in(&mut self, current: &Context, scopes: &ScopeStack) -> bool {
        let span = current.span();
        let span = span.span_context();
        if scopes.look(span.span_id(), |parent| parent.is_some()) {
            return self.find_native(scopes, span.span_id());
        }
        if *span.trace_state() != TraceState::NONE {
            return false;
        }
        let lineage = Self::of(span);
        if lineage.is_valid() {
            *self = lineage;
        }
        true
    }

    #[inline]
    fn find_native(&mut self, scopes: &ScopeStack, current: SpanId) -> bool {
        scopes.look(current, |parent| match parent {
            Some(parent) if parent.trace_state.is_some() => false,
            Some(parent) => {
                if parent.lineage.is_valid() {
                    *self = parent.lineage;
                }
                true
            }
            None => true,
        })
    }
}

/// A span context taken apart.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) lineage: Lineage,
    /// Boxed, since it is rare.
    pub(crate) trace_state: Option<Box<TraceState>>,
}

impl Origin {
    /// No span at all.
    pub(crate) const NONE: Self = Self {
        lineage: Lineage::NONE,
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
            lineage: Lineage::of(span),
            trace_state,
        }
    }

    #[inline]
    fn valid_or_none(self) -> Self {
        if self.lineage.is_valid() {
            self
        } else {
            Self::NONE
        }
    }

    /// Does not allocate.
    pub(crate) fn into_span_context(self) -> SpanContext {
        SpanContext::new(
            self.lineage.trace_id,
            self.lineage.span_id,
            self.lineage.flags,
            self.lineage.is_remote,
            unboxed(self.trace_state),
        )
    }
}

/// The parent that a new span gets.
pub(crate) struct Found {
    /// [`Origin::NONE`] unless it is valid.
    pub(crate) parent: Origin,
    /// Whether it is a span that was entered natively.
    pub(crate) is_native: bool,
}

impl Found {
    const NONE: Self = Self {
        parent: Origin::NONE,
        is_native: false,
    };

    /// Looks for the parent; `None` where telemetry is suppressed.
    #[inline]
    pub(crate) fn by(asked: Parent<'_>, scopes: &ScopeStack) -> Option<Self> {
        match asked {
            Parent::InForce => Context::map_current(|current| {
                if current.is_telemetry_suppressed() {
                    return None;
                }
                if !current.has_active_span() && scopes.is_empty() {
                    return Some(Self::NONE);
                }
                Some(Self::in_force(current, scopes))
            }),
            Parent::In(context) => (!context.is_telemetry_suppressed())
                .then(|| Self::of_api(context.span().span_context())),
            Parent::Is(span) => {
                (!Context::is_current_telemetry_suppressed()).then(|| Self::of_api(span))
            }
            Parent::None => (!Context::is_current_telemetry_suppressed()).then_some(Self::NONE),
        }
    }

    #[inline]
    fn in_force(current: &Context, scopes: &ScopeStack) -> Self {
        let span = current.span();
        let span = span.span_context();
        match scopes.parent(span.span_id()) {
            Some(parent) => Self {
                parent: parent.valid_or_none(),
                is_native: true,
            },
            None => Self::of_api(span),
        }
    }

    #[inline]
    fn of_api(span: &SpanContext) -> Self {
        if !span.is_valid() {
            return Self::NONE;
        }
        Self {
            parent: Origin::of(span),
            is_native: false,
        }
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
    let with = |origin: Origin| {
        Context::map_current(|current| current.with_remote_span_context(origin.into_span_context()))
    };
    match (parent, native) {
        (Parent::In(context), _) => context.clone(),
        (Parent::InForce, Some(native)) => with(native.clone()),
        (Parent::InForce, None) => Context::current(),
        (Parent::Is(span), _) => with(Origin::of(span)),
        (Parent::None, _) => with(Origin::NONE),
    }
}
