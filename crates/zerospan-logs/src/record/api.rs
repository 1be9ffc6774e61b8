use super::LogRecord;
use opentelemetry::Key;
use opentelemetry::logs::{self as api, AnyValue, Severity};
use opentelemetry::trace::{SpanId, TraceFlags, TraceId};
use std::borrow::Cow;
use std::time::SystemTime;
use zerospan_otlp::{HashedKey, unix_nanos};

/// Encodes each value when it is set, so that this allocates nothing. Values that the caller allocated are freed.
impl api::LogRecord for LogRecord {
    #[inline]
    fn set_event_name(&mut self, name: &'static str) {
        if let Some(slot) = &mut self.slot {
            slot.event_name = Some(name);
            slot.recorder.set_event_name(name);
        }
    }

    /// Sets the name of the scope that the record is exported in.
    #[inline]
    fn set_target<T: Into<Cow<'static, str>>>(&mut self, target: T) {
        if let Some(slot) = &mut self.slot {
            slot.target = Some(target.into());
        }
    }

    #[inline]
    fn set_timestamp(&mut self, timestamp: SystemTime) {
        if let Some(slot) = &mut self.slot {
            slot.recorder.set_time(unix_nanos(timestamp));
        }
    }

    #[inline]
    fn set_observed_timestamp(&mut self, timestamp: SystemTime) {
        if let Some(slot) = &mut self.slot {
            slot.recorder.set_observed_time(unix_nanos(timestamp));
        }
    }

    #[inline]
    fn set_severity_text(&mut self, text: &'static str) {
        if let Some(slot) = &mut self.slot {
            slot.severity_text = Some(text);
            slot.recorder.set_severity_text(text);
        }
    }

    #[inline]
    fn set_severity_number(&mut self, number: Severity) {
        if let Some(slot) = &mut self.slot {
            slot.recorder.set_severity_number(number as u8);
        }
    }

    #[inline]
    fn set_body(&mut self, body: AnyValue) {
        if let Some(slot) = &mut self.slot {
            slot.recorder.set_body_any(&body);
        }
    }

    fn add_attributes<I, K, V>(&mut self, attributes: I)
    where
        I: IntoIterator<Item = (K, V)>,
        K: Into<Key>,
        V: Into<AnyValue>,
    {
        for (key, value) in attributes {
            self.add_attribute(key, value);
        }
    }

    /// Sets an attribute. The last value of a key counts.
    #[inline]
    fn add_attribute<K, V>(&mut self, key: K, value: V)
    where
        K: Into<Key>,
        V: Into<AnyValue>,
    {
        if let Some(slot) = &mut self.slot {
            let (key, value) = (key.into(), value.into());
            slot.recorder.set_any(HashedKey::new(key.as_str()), &value);
        }
    }

    #[inline]
    fn set_trace_context(
        &mut self,
        trace_id: TraceId,
        span_id: SpanId,
        trace_flags: Option<TraceFlags>,
    ) {
        if let Some(slot) = &mut self.slot {
            let flags = trace_flags.unwrap_or_default();
            slot.recorder.set_trace_context(trace_id, span_id, flags);
        }
    }
}
