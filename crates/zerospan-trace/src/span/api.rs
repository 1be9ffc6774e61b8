use super::Span;
use crate::slot::Slot;
use opentelemetry::trace::{SpanContext, Status};
use opentelemetry::{Key, KeyValue, Value};
use std::borrow::Cow;
use std::error::Error;
use std::mem;
use std::time::SystemTime;
use zerospan_core::Attribute;
use zerospan_otlp::{HashedKey, unix_nanos};

/// Allocates only if the span's slot has to grow. Frees the vectors and strings that the caller allocated and passed.
impl opentelemetry::trace::Span for Span {
    #[inline]
    fn add_event<T: Into<Cow<'static, str>>>(&mut self, name: T, attributes: Vec<KeyValue>) {
        self.event(&name.into(), &attributes);
    }

    /// Adds the event `exception` with the error's text as `exception.message`, as the API crate does.
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

    // Inlined into the caller, the compiler hashes a constant key, reduces a value of known kind to one call, and removes the
    // drop of both: unless something takes their address, as the drop of a whole `Value` does. That is why numbers are
    // forgotten.
    #[inline(always)]
    fn set_attribute(&mut self, attribute: KeyValue) {
        let KeyValue { key, value, .. } = attribute;
        let slot = self.slot.as_deref_mut();
        match value {
            Value::String(text) => {
                if let Some(slot) = slot {
                    set_text(slot, HashedKey::new(key.as_str()), text.as_str());
                }
            }
            Value::I64(number) => {
                mem::forget(value);
                if let Some(slot) = slot {
                    set_i64(slot, HashedKey::new(key.as_str()), number);
                }
            }
            Value::F64(number) => {
                mem::forget(value);
                if let Some(slot) = slot {
                    set_f64(slot, HashedKey::new(key.as_str()), number);
                }
            }
            Value::Bool(flag) => {
                mem::forget(value);
                if let Some(slot) = slot {
                    set_bool(slot, HashedKey::new(key.as_str()), flag);
                }
            }
            value => set_any(slot, key, value),
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
            slot.recorder.rename(&name.into());
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
        self.end_at(Some(unix_nanos(timestamp)));
    }
}

#[inline(never)]
fn set_text(slot: &mut Slot, key: HashedKey<'_>, text: &str) {
    slot.recorder.set_hashed(key, text);
}

#[inline(never)]
fn set_i64(slot: &mut Slot, key: HashedKey<'_>, number: i64) {
    slot.recorder.set_hashed(key, number);
}

#[inline(never)]
fn set_f64(slot: &mut Slot, key: HashedKey<'_>, number: f64) {
    slot.recorder.set_hashed(key, number);
}

#[inline(never)]
fn set_bool(slot: &mut Slot, key: HashedKey<'_>, flag: bool) {
    slot.recorder.set_hashed(key, flag);
}

#[inline(never)]
fn set_any(slot: Option<&mut Slot>, key: Key, value: Value) {
    if let Some(slot) = slot {
        slot.recorder
            .set_attribute(Attribute::new(key.as_str(), &value));
    }
}
