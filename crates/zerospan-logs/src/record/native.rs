use super::LogRecord;
use opentelemetry::logs::Severity;
use opentelemetry::trace::SpanContext;
use std::fmt;
use zerospan_core::{
    Attribute, AttributeSink, AttributeSource, AttributeValue, ExtendError, SinkError,
};
use zerospan_otlp::{AttributeBuffer, AttributeView, AttributeWriter, StaticKey, ValueView};

/// Methods beyond OpenTelemetry's trait. They allocate only if the record outgrows its memory.
impl LogRecord {
    /// Sets the attribute `key`, in the fastest way. Replaces an earlier value of the key.
    #[inline(always)]
    pub fn set<'v>(&mut self, key: &StaticKey, value: impl Into<AttributeValue<'v>>) {
        if let Some(slot) = &mut self.slot {
            slot.recorder.set(key, value);
        }
    }

    /// Sets the attribute `key`, which need not be a constant. Replaces an earlier value of the key.
    #[inline]
    pub fn set_dynamic<'v>(&mut self, key: &'v str, value: impl Into<AttributeValue<'v>>) {
        if let Some(slot) = &mut self.slot {
            slot.recorder.set_attribute(Attribute::new(key, value));
        }
    }

    /// Sets the attribute `key` to a text, which is formatted in place.
    ///
    /// # Panics
    ///
    /// Panics if formatting panics. The attribute is then dropped and counted.
    #[inline]
    pub fn set_fmt(&mut self, key: &StaticKey, text: fmt::Arguments<'_>) {
        if let Some(slot) = &mut self.slot {
            slot.recorder.set_fmt(key, text);
        }
    }

    /// Sets every attribute of a source: of a slice, an arena, a shared set or a set of fixed capacity.
    ///
    /// The first record encodes a shared set, which allocates; later records copy the bytes.
    #[inline]
    pub fn set_all<S: AttributeSource + ?Sized>(&mut self, attributes: &S) {
        if let Some(slot) = &mut self.slot {
            slot.recorder.extend(attributes);
        }
    }

    /// Sets severity number and text.
    #[inline]
    pub fn set_severity(&mut self, severity: Severity) {
        if let Some(slot) = &mut self.slot {
            slot.severity_text = Some(severity.name());
            slot.recorder.set_severity_number(severity as u8);
            slot.recorder.set_severity_text(severity.name());
        }
    }

    /// Sets the time of the event, in nanoseconds since 1970.
    #[inline]
    pub fn set_unix_nanos(&mut self, time: u64) {
        if let Some(slot) = &mut self.slot {
            slot.recorder.set_time(time);
        }
    }

    /// Sets the time at which the event was observed, in nanoseconds since 1970. By default it is the time of the emission.
    #[inline]
    pub fn set_observed_unix_nanos(&mut self, time: u64) {
        if let Some(slot) = &mut self.slot {
            slot.recorder.set_observed_time(time);
        }
    }

    /// Sets the body. Replaces an earlier one.
    #[inline]
    pub fn set_body_value<'v>(&mut self, body: impl Into<AttributeValue<'v>>) {
        if let Some(slot) = &mut self.slot {
            slot.recorder.set_body(body);
        }
    }

    /// Sets the body to a text, which is formatted in place. Replaces an earlier one.
    ///
    /// # Panics
    ///
    /// Panics if formatting panics. There is then no body.
    #[inline]
    pub fn set_body_fmt(&mut self, body: fmt::Arguments<'_>) {
        if let Some(slot) = &mut self.slot {
            slot.recorder.set_body_fmt(body);
        }
    }

    /// Sets the span that the record belongs to. By default it is the current one at the emission.
    #[inline]
    pub fn set_span_context(&mut self, span: &SpanContext) {
        if let Some(slot) = &mut self.slot {
            slot.recorder
                .set_trace_context(span.trace_id(), span.span_id(), span.trace_flags());
        }
    }

    /// Returns the severity number, or 0 if none is set.
    pub fn severity_number(&self) -> u8 {
        let slot = self.slot.as_ref();
        slot.map_or(0, |slot| slot.recorder.severity_number())
    }

    /// Returns the body, if there is one. Does not allocate.
    pub fn body(&self) -> Option<ValueView<'_>> {
        self.slot.as_ref()?.recorder.body()
    }

    /// Returns the attributes, in the order in which their keys were first set. Does not allocate.
    pub fn attributes(&self) -> impl Iterator<Item = AttributeView<'_>> {
        let slot = self.slot.as_ref();
        slot.into_iter().flat_map(|slot| slot.recorder.attributes())
    }

    /// Returns the value of the attribute `key`. Does not allocate.
    pub fn attribute(&self, key: &str) -> Option<ValueView<'_>> {
        self.slot.as_ref()?.recorder.attribute(key)
    }

    /// Returns the number of attributes that were dropped, for a limit or an unsupported value.
    pub fn dropped_attributes(&self) -> u32 {
        let slot = self.slot.as_ref();
        slot.map_or(0, |slot| slot.recorder.dropped_attributes())
    }

    /// Appends the record to `out` as a field `ScopeLogs.log_records`, with tag and length, as [`record_encoded`] takes it.
    /// [`LogRecordView`](crate::LogRecordView) reads the content.
    ///
    /// [`record_encoded`]: zerospan_export::Pipeline::record_encoded
    pub fn encode(&self, out: &mut Vec<u8>) {
        if let Some(slot) = &self.slot {
            slot.recorder.finish(out);
        }
    }

    /// Sets the attributes of a buffer. Copies their bytes.
    #[doc(hidden)]
    #[inline]
    pub fn append(&mut self, attributes: &AttributeBuffer) {
        if let Some(slot) = &mut self.slot {
            slot.recorder.append(attributes);
        }
    }

    /// Sets attributes with a writer.
    #[doc(hidden)]
    #[inline]
    pub fn write_attributes(&mut self, write: impl FnOnce(AttributeWriter<'_>)) {
        if let Some(slot) = &mut self.slot {
            write(slot.recorder.writer());
        }
    }
}

/// Sets attributes. A record of a logger that exports nothing ignores them.
impl AttributeSink for LogRecord {
    #[inline]
    fn push_attribute(&mut self, attribute: Attribute<'_>) -> Result<(), SinkError> {
        match &mut self.slot {
            Some(slot) => slot.recorder.push_attribute(attribute),
            None => Ok(()),
        }
    }

    #[inline]
    fn push_all<S: AttributeSource + ?Sized>(&mut self, source: &S) -> Result<(), ExtendError> {
        match &mut self.slot {
            Some(slot) => slot.recorder.push_all(source),
            None => Ok(()),
        }
    }
}
