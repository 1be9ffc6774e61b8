use super::Tracer;
use crate::context::options::{Parent, StartOptions};
use crate::span::Span;
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanKind};
use std::borrow::Cow;
use std::fmt;
use std::time::SystemTime;

impl Tracer {
    /// Prepares a span: a child of this thread's current span, unless another parent is set.
    ///
    /// Allocates nothing. In the destructor of a thread-local there may be no current span any more: set the parent with
    /// [`with_parent`](SpanBuilder::with_parent).
    #[inline]
    pub fn span(&self, name: impl Into<Cow<'static, str>>) -> SpanBuilder<'_> {
        SpanBuilder {
            tracer: self,
            name: name.into(),
            options: StartOptions::child_of(Parent::Current),
        }
    }
}

/// A span that is about to start. Created by [`Tracer::span`].
///
/// Takes what must be known at the start, and no attributes: set them on the span, which ignores them at no cost if it is not
/// sampled. A sampler that reads attributes needs the API crate's `SpanBuilder`.
#[must_use = "call `start` to start the span"]
pub struct SpanBuilder<'a> {
    tracer: &'a Tracer,
    name: Cow<'static, str>,
    options: StartOptions<'a>,
}

impl<'a> SpanBuilder<'a> {
    /// Sets the kind of the span. The default is [`SpanKind::Internal`].
    #[inline]
    pub fn with_kind(mut self, kind: SpanKind) -> Self {
        self.options.kind = kind;
        self
    }

    /// Sets the start time. The default is now.
    #[inline]
    pub fn with_start_time(mut self, time: SystemTime) -> Self {
        self.options.start_time = Some(time);
        self
    }

    /// Makes the span a child of `parent`, whatever is current on this thread. The parent may be a span of another process, as
    /// [`remote_span_context`](crate::remote_span_context) reads it.
    #[inline]
    pub fn with_parent(mut self, parent: &'a SpanContext) -> Self {
        self.options.parent = Parent::Span(parent);
        self
    }

    /// Makes the span a child of the span in `context`, as a propagator extracts it.
    #[inline]
    pub fn with_parent_context(mut self, context: &'a Context) -> Self {
        self.options.parent = Parent::Context(context);
        self
    }

    /// Makes the span the root of a new trace.
    #[inline]
    pub fn as_root(mut self) -> Self {
        self.options.parent = Parent::Root;
        self
    }

    /// Starts the span.
    ///
    /// Allocates for a trace state, for a sampler or a processor that needs a `Context`, and for a slot if more spans are open
    /// than ever before; nothing otherwise.
    #[inline]
    pub fn start(self) -> Span {
        self.tracer.start_span(&self.name, &self.options)
    }
}

impl fmt::Debug for SpanBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpanBuilder")
            .field("name", &self.name)
            .field("parent", &self.options.parent)
            .finish_non_exhaustive()
    }
}
