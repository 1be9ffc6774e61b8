//! Writing all attributes of a source.

use super::key::HashedKey;
use super::shared;
use super::writer::AttributeWriter;
use crate::view::{AttributeView, ValueView};
use crate::wire::{Varint, append};
use zerospan_core::{Attribute, AttributeSink, AttributeSource, ExtendError, SinkError};

impl AttributeWriter<'_> {
    /// Sets every attribute of `source`. Drops and counts those that are beyond the limits.
    #[inline]
    pub fn extend<S: AttributeSource + ?Sized>(&mut self, source: &S) {
        if let Some(cache) = source.encoding_cache()
            && shared::copy(self, source, cache)
        {
            return;
        }
        source.for_each(|attribute| self.set_attribute(attribute));
    }
}

impl AttributeWriter<'_> {
    /// Sets an attribute of a span or of a log record. Copies its bytes; a text is cut to the limit. Drops and counts an attribute
    /// that is beyond the limits.
    #[inline]
    pub fn set_view(&mut self, attribute: &AttributeView<'_>) {
        let key = HashedKey::new(attribute.key);
        match attribute.value {
            Some(ValueView::Str(text)) => self.set_hashed(key, text),
            _ => self.set_copy(key, attribute.bytes()),
        }
    }

    #[inline(never)]
    fn set_copy(&mut self, key: HashedKey<'_>, content: &[u8]) {
        let tag = self.tag;
        self.set_with(key, |out| {
            append(out, ([tag], Varint(content.len() as u64), content));
            Ok(())
        });
    }
}

impl AttributeSink for AttributeWriter<'_> {
    #[inline]
    fn push_attribute(&mut self, attribute: Attribute<'_>) -> Result<(), SinkError> {
        self.try_set(attribute.key, attribute.value)
    }

    fn reserve_attributes(&mut self, additional: usize) {
        self.keys
            .reserve(additional.min(self.max_attributes as usize));
    }

    fn push_all<S: AttributeSource + ?Sized>(&mut self, source: &S) -> Result<(), ExtendError> {
        if let Some(cache) = source.encoding_cache()
            && shared::copy(self, source, cache)
        {
            return Ok(());
        }
        let mut outcome = Ok(());
        source.for_each(|attribute| {
            if let Err(cause) = self.push_attribute(attribute) {
                outcome = Err(match outcome {
                    Ok(()) => ExtendError::new(1, cause),
                    Err(ExtendError {
                        rejected, cause, ..
                    }) => ExtendError::new(rejected + 1, cause),
                });
            }
        });
        outcome
    }
}
