//! Finds the parent of a new span.

use super::active_spans::ActiveSpans;
use super::options::Parent;
use super::parent::{ParentContext, ParentIds};
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceState};
use zerospan_core::{context, log};

impl ParentIds {
    /// Becomes the current span of this thread, if there is one and it is valid.
    ///
    /// Returns `false` if telemetry is suppressed or the span has a trace state. The API's context must be there.
    #[inline]
    pub(crate) fn find_current(&mut self, active: &ActiveSpans) -> bool {
        Context::map_current(|current| {
            if current.is_telemetry_suppressed() || log::is_suppressed_here() {
                return false;
            }
            if current.has_active_span() {
                return self.find_in_context(current, active);
            }
            active.is_empty() || self.find_native(active, SpanId::INVALID)
        })
    }

    fn find_in_context(&mut self, current: &Context, active: &ActiveSpans) -> bool {
        let span = current.span();
        let span = span.span_context();
        if active.with_active(span.span_id(), |native| native.is_some()) {
            return self.find_native(active, span.span_id());
        }
        if *span.trace_state() != TraceState::NONE {
            return false;
        }
        let ids = Self::new(span);
        if ids.is_valid() {
            *self = ids;
        }
        true
    }

    #[inline]
    fn find_native(&mut self, active: &ActiveSpans, api_span_id: SpanId) -> bool {
        active.with_active(api_span_id, |native| match native {
            Some(native) if native.trace_state.is_some() => false,
            Some(native) => {
                if native.ids.is_valid() {
                    *self = native.ids;
                }
                true
            }
            None => true,
        })
    }
}

/// The parent of a new span.
pub(crate) struct ResolvedParent {
    /// Valid or [`ParentContext::NONE`].
    pub(crate) parent: ParentContext,
    /// The parent is a span that was entered natively.
    pub(crate) is_native: bool,
}

impl ResolvedParent {
    const NONE: Self = Self {
        parent: ParentContext::NONE,
        is_native: false,
    };

    /// Resolves what the caller chose. Returns `None` if telemetry is suppressed.
    #[inline]
    pub(crate) fn new(choice: Parent<'_>, active: &ActiveSpans) -> Option<Self> {
        match choice {
            Parent::Current if log::is_suppressed_here() => None,
            Parent::Current => context::with_current(|current| {
                if current.is_telemetry_suppressed() {
                    return None;
                }
                if !current.has_active_span() && active.is_empty() {
                    return Some(Self::NONE);
                }
                Some(Self::current(current, active))
            })
            .unwrap_or(Some(Self::NONE)),
            Parent::Context(context) => (!context.is_telemetry_suppressed())
                .then(|| Self::from_api(context.span().span_context())),
            Parent::Span(span) => (!log::is_suppressed()).then(|| Self::from_api(span)),
            Parent::Root => (!log::is_suppressed()).then_some(Self::NONE),
        }
    }

    #[inline]
    fn current(current: &Context, active: &ActiveSpans) -> Self {
        let span = current.span();
        let span = span.span_context();
        match active.active(span.span_id()) {
            Some(parent) => Self {
                parent: parent.valid_or_none(),
                is_native: true,
            },
            None => Self::from_api(span),
        }
    }

    #[inline]
    fn from_api(span: &SpanContext) -> Self {
        if !span.is_valid() {
            return Self::NONE;
        }
        Self {
            parent: ParentContext::new(span),
            is_native: false,
        }
    }
}

/// Returns the context that samplers and processors get. Allocates if the parent was entered natively or named by the caller,
/// since a context is built then.
#[cold]
pub(crate) fn context_of(choice: Parent<'_>, native: Option<&ParentContext>) -> Context {
    let with = |parent: ParentContext| {
        context::current().with_remote_span_context(parent.into_span_context())
    };
    match (choice, native) {
        (Parent::Context(context), _) => context.clone(),
        (Parent::Current, Some(native)) => with(native.clone()),
        (Parent::Current, None) => context::current(),
        (Parent::Span(span), _) => with(ParentContext::new(span)),
        (Parent::Root, _) => with(ParentContext::NONE),
    }
}
