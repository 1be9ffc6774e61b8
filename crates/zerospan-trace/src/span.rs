mod api;
mod end;
mod native;

use crate::slot::Slot;
use opentelemetry::trace::SpanContext;
use std::fmt;
use std::time::SystemTime;

/// One operation: what our [`Tracer`](crate::Tracer) starts.
///
/// It is OpenTelemetry's [`Span`](opentelemetry::trace::Span), and has calls of its own that take constant keys, borrowed
/// values and whole attribute sets. Attributes, events and links are encoded where they are set.
///
/// A span that is not recorded owns nothing but its context. Dropping a span ends it. It may be moved to another thread and
/// ended there.
pub struct Span {
    context: SpanContext,
    /// `None` if the span is not recorded, or has ended.
    slot: Option<Box<Slot>>,
}

impl Span {
    #[inline]
    pub(crate) fn new(context: SpanContext, slot: Option<Box<Slot>>) -> Self {
        Self { context, slot }
    }

    #[inline]
    pub(crate) fn context(&self) -> &SpanContext {
        &self.context
    }

    pub(crate) fn put_slot(&mut self, slot: Box<Slot>) {
        self.slot = Some(slot);
    }

    pub(crate) fn take_slot(&mut self) -> Option<Box<Slot>> {
        self.slot.take()
    }

    #[inline]
    fn end_at(&mut self, time: Option<SystemTime>) {
        // A processor that ends the span it is told of gets nowhere.
        if self.slot.as_ref().is_some_and(|slot| slot.is_ending) {
            return;
        }
        if let Some(slot) = self.slot.take() {
            end::end(self, slot, time);
        }
    }
}

impl Drop for Span {
    #[inline]
    fn drop(&mut self) {
        self.end_at(None);
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Span")
            .field("context", &self.context)
            .field("name", &self.slot.as_ref().map(|slot| slot.recorder.name()))
            .finish_non_exhaustive()
    }
}
