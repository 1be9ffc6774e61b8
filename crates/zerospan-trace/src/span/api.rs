use super::Span;
use crate::slot::Slot;
use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanContext, Status};
use std::borrow::Cow;
use std::error::Error;
use std::time::SystemTime;
use zerospan_core::Attribute;
use zerospan_otlp::unix_nanos;

/// Nothing here allocates, but for a slot that has to grow. What the caller hands over in vectors and strings was
/// allocated by the caller, and is freed here.
impl opentelemetry::trace::Span for Span {
    #[inline]
    fn add_event<T: Into<Cow<'static, str>>>(&mut self, name: T, attributes: Vec<KeyValue>) {
        self.event(&name.into(), &attributes);
    }

    /// The event `exception` with the error's text as `exception.message`, as the API crate has it.
    fn record_error(&mut self, error: &dyn Error) {
        self.record_error_text(error);
    }

    #[inline]
    fn add_event_with_timestamp<T: Into<Cow<'static, str>>>(
        &mut self,
        name: T,
        timestamp: SystemTime,
        attributes: Vec<KeyValue>,
    ) {
        if let Some(slot) = &mut self.slot {
            slot.recorder
                .add_event(&name.into(), unix_nanos(timestamp), &attributes);
        }
    }

    #[inline]
    fn span_context(&self) -> &SpanContext {
        &self.context
    }

    #[inline]
    fn is_recording(&self) -> bool {
        self.slot.is_some()
    }

    // Inlined where it is called, the release of a constant key and value comes to nothing.
    #[inline(always)]
    fn set_attribute(&mut self, attribute: KeyValue) {
        if let Some(slot) = &mut self.slot {
            set(slot, &attribute);
        }
    }

    #[inline]
    fn set_attributes(&mut self, attributes: impl IntoIterator<Item = KeyValue>) {
        if self.slot.is_some() {
            for attribute in attributes {
                self.set_attribute(attribute);
            }
        }
    }

    #[inline]
    fn set_status(&mut self, status: Status) {
        if let Some(slot) = &mut self.slot {
            slot.set_status(status);
        }
    }

    #[inline]
    fn update_name<T: Into<Cow<'static, str>>>(&mut self, name: T) {
        if let Some(slot) = &mut self.slot {
            slot.rename(name.into());
        }
    }

    #[inline]
    fn add_link(&mut self, context: SpanContext, attributes: Vec<KeyValue>) {
        self.link(&context, &attributes);
    }

    #[inline]
    fn end(&mut self) {
        self.end_at(None);
    }

    #[inline]
    fn end_with_timestamp(&mut self, timestamp: SystemTime) {
        self.end_at(Some(timestamp));
    }
}

#[inline(never)]
fn set(slot: &mut Slot, attribute: &KeyValue) {
    slot.recorder.set_attribute(Attribute::from(attribute));
}
