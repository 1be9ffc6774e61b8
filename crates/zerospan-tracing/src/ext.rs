//! Methods on spans of the `tracing` crate.

mod error;
mod parent;

pub use error::SetParentError;

use crate::state::dispatch;
use crate::state::entry::Entry;
use crate::state::inner::{Active, LayerInner};
use opentelemetry::trace::{SpanContext, Status};
use opentelemetry::{Context, Key, KeyValue, Value};
use std::borrow::Cow;
use std::time::SystemTime;
use tracing::Span;
use zerospan_core::AsAttributeValue;
use zerospan_otlp::unix_nanos;
use zerospan_trace::layer::Moment;
use zerospan_trace::{current_context, current_span_context};

/// Access to the OpenTelemetry span of a span of the `tracing` crate.
///
/// The methods have the names and signatures of `tracing-opentelemetry`. They do nothing to a span that no layer of this crate
/// records, and work through per-layer filters and behind `reload`. With several layers of this crate, all of them are changed,
/// and the outermost is read.
pub trait OpenTelemetrySpanExt {
    /// Makes the span a child of the span in `context`, as a propagator extracts it. Does nothing if that is invalid.
    ///
    /// The span may have been entered, and its fields stay. It gets the trace id of its new parent, and the sampler decides
    /// again. If it was not recorded so far, what was recorded before is missing: prefer to attach the context before
    /// the span is created.
    ///
    /// # Errors
    ///
    /// Returns [`AlreadyStarted`](SetParentError::AlreadyStarted) if the span's ids were used: by a child, a link, a reader of its
    /// context, or by another thread that has entered it. Returns the other errors where there is no span to change.
    fn set_parent(&self, context: Context) -> Result<(), SetParentError>;

    /// Links the span to the span of `context`. Does nothing if that is invalid.
    fn add_link(&self, context: SpanContext);

    /// Links the span to the span of `context`, with attributes. Does nothing if that is invalid.
    fn add_link_with_attributes(&self, context: SpanContext, attributes: Vec<KeyValue>);

    /// Returns a context with the span as its span, for propagators. Allocates once.
    ///
    /// For a span that no layer records, this is the current context: of its nearest recorded ancestor, or the current
    /// one.
    fn context(&self) -> Context;

    /// Returns the span's trace id, span id, flags and trace state. They do not change from now on. Allocates only for a trace
    /// state.
    ///
    /// For a span that no layer records, this is the current context, which may be invalid.
    fn span_context(&self) -> SpanContext;

    /// Sets an attribute.
    fn set_attribute(&self, key: impl Into<Key>, value: impl Into<Value>);

    /// Sets the status, by the specification's rules: `Ok` is final, and otherwise the last one counts.
    fn set_status(&self, status: Status);

    /// Adds an event.
    fn add_event(&self, name: impl Into<Cow<'static, str>>, attributes: Vec<KeyValue>);

    /// Adds an event with a time.
    fn add_event_with_timestamp(
        &self,
        name: impl Into<Cow<'static, str>>,
        timestamp: SystemTime,
        attributes: Vec<KeyValue>,
    );
}

impl OpenTelemetrySpanExt for Span {
    fn set_parent(&self, context: Context) -> Result<(), SetParentError> {
        self.with_subscriber(|(id, dispatch)| {
            let mut outcome = Err(SetParentError::LayerNotFound);
            dispatch::for_each(dispatch, id, |inner| {
                let done = parent::set(inner, id, dispatch, &context);
                // A layer that changed the span counts more than one that does not know it.
                if outcome.is_err() {
                    outcome = done;
                }
            });
            outcome
        })
        .unwrap_or(Err(SetParentError::SpanDisabled))
    }

    fn add_link(&self, context: SpanContext) {
        self.add_link_with_attributes(context, Vec::new());
    }

    fn add_link_with_attributes(&self, context: SpanContext, attributes: Vec<KeyValue>) {
        if context.is_valid() {
            change(self, |entry, _| entry.span.link(&context, &attributes));
        }
    }

    fn context(&self) -> Context {
        let found = self.with_subscriber(|(id, dispatch)| parent::to_context(id, dispatch));
        found.flatten().unwrap_or_else(current_context)
    }

    fn span_context(&self) -> SpanContext {
        let found = self.with_subscriber(|(id, dispatch)| parent::span_context(id, dispatch));
        found.flatten().unwrap_or_else(current_span_context)
    }

    fn set_attribute(&self, key: impl Into<Key>, value: impl Into<Value>) {
        let (key, value) = (key.into(), value.into());
        change(self, |entry, _| {
            entry
                .span
                .set_dynamic(key.as_str(), value.as_attribute_value());
        });
    }

    fn set_status(&self, status: Status) {
        change(self, |entry, _| match &status {
            Status::Unset => {}
            Status::Ok => entry.span.set_ok(),
            Status::Error { description } => entry.span.set_error(description),
        });
    }

    fn add_event(&self, name: impl Into<Cow<'static, str>>, attributes: Vec<KeyValue>) {
        let name = name.into();
        change(self, |entry, now| {
            let time = entry.span.unix_nanos_at(now);
            entry.span.add_event_at(&name, time, &attributes);
        });
    }

    fn add_event_with_timestamp(
        &self,
        name: impl Into<Cow<'static, str>>,
        timestamp: SystemTime,
        attributes: Vec<KeyValue>,
    ) {
        let (name, time) = (name.into(), unix_nanos(timestamp));
        change(self, |entry, _| {
            entry.span.add_event_at(&name, time, &attributes);
        });
    }
}

/// Changes a span in every layer that records it.
fn change(span: &Span, mut change: impl FnMut(&mut Entry, &Moment)) {
    span.with_subscriber(|(id, dispatch)| {
        dispatch::for_each(dispatch, id, |inner: &LayerInner| {
            let Some(Active { tracer, .. }) = inner.active() else {
                return;
            };
            let now = tracer.moment();
            inner.table().with(id.into_u64(), |entry| {
                if entry.span.is_recorded() {
                    change(entry, &now);
                    entry.touch(&now);
                }
            });
        });
    });
}
