use crate::parent::{Asked, Parent};
use crate::{Span, Tracer};
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanKind};
use std::borrow::Cow;
use std::fmt;
use std::time::SystemTime;

/// A span that is about to start, made by [`Tracer::span`].
///
/// It takes what must be known at the start, and no attributes: set them on the span, where an unsampled one ignores them
/// at no cost. A sampler that decides by attributes wants the API crate's `SpanBuilder`.
#[must_use = "the span starts with `start`"]
pub struct SpanBuilder<'a> {
    tracer: &'a Tracer,
    name: Cow<'static, str>,
    asked: Asked<'a>,
}

impl<'a> SpanBuilder<'a> {
    #[inline]
    pub(crate) fn new(tracer: &'a Tracer, name: Cow<'static, str>) -> Self {
        Self {
            tracer,
            name,
            asked: Asked::child_of(Parent::InForce),
        }
    }

    /// Of which kind the span is: internal unless it is said.
    #[inline]
    pub fn with_kind(mut self, kind: SpanKind) -> Self {
        self.asked.kind = kind;
        self
    }

    /// When the span started, if that is not now.
    #[inline]
    pub fn with_start_time(mut self, time: SystemTime) -> Self {
        self.asked.start_time = Some(time);
        self
    }

    /// Makes the span a child of `parent`, of this process or remote, as [`remote_span_context`](crate::remote_span_context)
    /// reads it, whatever is in force on this thread.
    #[inline]
    pub fn with_parent(mut self, parent: &'a SpanContext) -> Self {
        self.asked.parent = Parent::Is(parent);
        self
    }

    /// Makes the span a child of the span in `context`, as a propagator extracts it.
    #[inline]
    pub fn with_parent_context(mut self, context: &'a Context) -> Self {
        self.asked.parent = Parent::In(context);
        self
    }

    /// Makes the span the root of a new trace.
    #[inline]
    pub fn as_root(mut self) -> Self {
        self.asked.parent = Parent::None;
        self
    }

    /// Starts the span.
    ///
    /// Allocates nothing but for a trace state, and for a sampler or a processor that wants a `Context`; and a slot where
    /// more spans are open than ever before.
    #[inline]
    pub fn start(self) -> Span {
        self.tracer.begin(&self.name, &self.asked)
    }
}

impl fmt::Debug for SpanBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpanBuilder")
            .field("name", &self.name)
            .field("parent", &self.asked.parent)
            .finish_non_exhaustive()
    }
}
