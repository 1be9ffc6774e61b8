use opentelemetry::trace::{Event, Link, SpanContext, SpanKind};
use opentelemetry::{Context, KeyValue};
use std::time::SystemTime;

/// The options of a span that starts.
pub(crate) struct StartOptions<'a> {
    pub(crate) parent: Parent<'a>,
    pub(crate) kind: SpanKind,
    pub(crate) start_time: Option<SystemTime>,
    pub(crate) initial: Option<InitialData<'a>>,
}

/// Data that a span has from its start.
#[derive(Clone, Copy, Default)]
pub(crate) struct InitialData<'a> {
    pub(crate) attributes: &'a [KeyValue],
    pub(crate) events: &'a [Event],
    pub(crate) links: &'a [Link],
}

/// The parent that a caller chooses.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Parent<'a> {
    /// The current span of this thread.
    Current,
    /// The span in this context.
    Context(&'a Context),
    /// This span.
    Span(&'a SpanContext),
    /// No span: a new trace starts.
    Root,
}

impl<'a> StartOptions<'a> {
    #[inline]
    pub(crate) fn child_of(parent: Parent<'a>) -> Self {
        Self {
            parent,
            kind: SpanKind::Internal,
            start_time: None,
            initial: None,
        }
    }

    /// Returns `true` if the span is a child of the current span, starts now and is empty.
    #[inline(always)]
    pub(crate) fn are_plain(&self) -> bool {
        matches!(self.parent, Parent::Current)
            && self.start_time.is_none()
            && self.initial.is_none()
    }
}
