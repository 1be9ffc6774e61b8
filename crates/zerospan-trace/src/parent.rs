use opentelemetry::Context;
use opentelemetry::trace::{Event, Link, SpanContext, SpanKind, TraceContextExt};
use opentelemetry::KeyValue;
use std::time::SystemTime;

/// What the caller asks a new span to be.
pub(crate) struct Asked<'a> {
    pub(crate) parent: Parent<'a>,
    pub(crate) kind: SpanKind,
    pub(crate) start_time: Option<SystemTime>,
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
            attributes: &[],
            events: &[],
            links: &[],
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

/// What was found about a parent.
pub(crate) struct Found {
    /// The parent's span context, valid or not.
    pub(crate) span: Option<SpanContext>,
    /// Whether nothing is to be traced here.
    pub(crate) suppressed: bool,
    /// What samplers and processors get to see, if there are any.
    pub(crate) context: Option<Context>,
}

impl Found {
    /// `native` is the span that was entered natively, if that is in force.
    #[inline]
    pub(crate) fn in_force(current: &Context, native: Option<SpanContext>, wanted: bool) -> Self {
        match native {
            Some(span) => Self::native(current, Some(span), wanted),
            None => Self::in_context(current, wanted),
        }
    }

    #[inline]
    pub(crate) fn in_context(context: &Context, wanted: bool) -> Self {
        Self {
            span: context
                .has_active_span()
                .then(|| context.span().span_context().clone()),
            suppressed: context.is_telemetry_suppressed(),
            context: wanted.then(|| context.clone()),
        }
    }

    /// A context is made for who wants one: this allocates.
    #[inline]
    pub(crate) fn native(current: &Context, span: Option<SpanContext>, wanted: bool) -> Self {
        let context = wanted.then(|| {
            let span = span.clone().unwrap_or(SpanContext::NONE);
            current.with_remote_span_context(span)
        });
        Self {
            span,
            suppressed: current.is_telemetry_suppressed(),
            context,
        }
    }
}
