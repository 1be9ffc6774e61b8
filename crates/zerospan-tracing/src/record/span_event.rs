use super::event::EventOutput;
use crate::state::callsite::{self, Callsite};
use crate::state::scratch::EventScratch;
use zerospan_core::{Attribute, AttributeValue};
use zerospan_otlp::StaticKey;
use zerospan_trace::layer::SpanLimits;

/// The name of an event that is an exception.
const EXCEPTION: &str = "exception";

/// Writes an event of a span.
pub(crate) struct SpanEvent<'a> {
    event: &'a mut EventScratch,
    limits: &'a SpanLimits,
}

impl<'a> SpanEvent<'a> {
    /// Starts with the constant attributes of a callsite.
    #[inline]
    pub(crate) fn new(
        event: &'a mut EventScratch,
        callsite: &Callsite,
        limits: &'a SpanLimits,
    ) -> Self {
        event.attributes.copy_from(&callsite.constants);
        Self { event, limits }
    }

    fn set_name(&mut self, name: &str) {
        self.event.name.clear();
        self.event.name.push_str(name);
    }
}

impl EventOutput for SpanEvent<'_> {
    #[inline]
    fn set(&mut self, key: &StaticKey, value: AttributeValue<'_>) {
        let attributes = &mut self.event.attributes;
        attributes.event_writer(self.limits).set(key, value);
    }

    fn set_attribute(&mut self, attribute: Attribute<'_>) {
        let attributes = &mut self.event.attributes;
        attributes
            .event_writer(self.limits)
            .set_attribute(attribute);
    }

    #[inline]
    fn set_message(&mut self, message: &str) {
        self.set_name(message);
    }

    fn set_exception(&mut self) {
        self.set_name(EXCEPTION);
    }

    fn set_target(&mut self, target: &str) {
        self.set(&callsite::TARGET, AttributeValue::Str(target));
    }

    #[inline]
    fn complete(&mut self, name: &'static str) {
        // An empty message is no name, either.
        if self.event.name.is_empty() {
            self.event.name.push_str(name);
        }
    }
}
