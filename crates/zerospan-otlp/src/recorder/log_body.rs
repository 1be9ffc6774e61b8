//! The body.

use super::log_record::LogRecordRecorder;
#[cfg(feature = "logs")]
use crate::attribute::encode_any;
use crate::attribute::{
    TextWriter, UNLIMITED, encode_formatted, encode_without_key, encode_written,
};
use crate::protobuf::Message;
use crate::protobuf::schema::log_record;
use crate::view::{Repeated, ValueView};
#[cfg(feature = "logs")]
use opentelemetry::logs::AnyValue;
use std::fmt;
use std::mem;
use zerospan_core::AttributeValue;

const TAG: u8 = log_record::tag::BODY;

impl LogRecordRecorder {
    /// Sets the body. A later call replaces an earlier one. A value of an unsupported kind is left out.
    #[inline]
    pub fn set_body<'v>(&mut self, body: impl Into<AttributeValue<'v>>) {
        self.body.clear();
        // Nothing is written of an unsupported value.
        let _ = encode_without_key(&mut self.body, TAG, body.into(), UNLIMITED);
    }

    /// Sets the body to a text, which is formatted in place. A later call replaces an earlier one.
    ///
    /// Of a text that cannot be formatted to its end, the beginning is kept.
    ///
    /// # Panics
    ///
    /// Panics if formatting panics. There is then no body.
    #[inline]
    pub fn set_body_fmt(&mut self, body: fmt::Arguments<'_>) {
        if let Some(constant) = body.as_str() {
            return self.set_body(constant);
        }
        self.replace_body(|out| encode_formatted(out, TAG, body));
    }

    /// Sets the body to the text that `write` writes, in place. A later call replaces an earlier one.
    ///
    /// For text that is written without `core::fmt`. If `write` returns an error, what it wrote before is kept.
    ///
    /// # Panics
    ///
    /// Panics if `write` does. There is then no body.
    #[inline]
    pub fn set_body_with<E>(&mut self, write: impl FnOnce(&mut TextWriter<'_>) -> Result<(), E>) {
        self.replace_body(|out| encode_written(out, TAG, write));
    }

    #[inline(always)]
    fn replace_body(&mut self, encode: impl FnOnce(&mut Vec<u8>)) {
        self.body.clear();
        let clear = ClearOnUnwind(&mut self.body);
        encode(clear.0);
        mem::forget(clear);
    }

    /// Sets the body to a value of the API. A later call replaces an earlier one.
    ///
    /// Arrays and maps that are nested so deep that a decoder would refuse the request are left empty.
    #[cfg(feature = "logs")]
    #[inline]
    pub fn set_body_any(&mut self, body: &AnyValue) {
        self.body.clear();
        // Nothing is written of an unsupported value.
        let _ = encode_any(&mut self.body, TAG, body, UNLIMITED);
    }

    /// Removes the body.
    pub fn clear_body(&mut self) {
        self.body.clear();
    }

    /// Returns the body, if there is one. Does not allocate.
    pub fn body(&self) -> Option<ValueView<'_>> {
        let message = Message::new(&self.body);
        // The recorder wrote these bytes, so the value can be read.
        let mut body = Repeated::new(message, log_record::BODY, ValueView::parse);
        body.next()?.ok()
    }
}

/// Removes an incomplete body when dropped. Forgotten, unless formatting panics.
struct ClearOnUnwind<'a>(&'a mut Vec<u8>);

impl Drop for ClearOnUnwind<'_> {
    #[cold]
    fn drop(&mut self) {
        self.0.clear();
    }
}
