use super::encode::{self, UNLIMITED};
use super::key::{HashedKey, Key};
use super::key_index::KeyIndex;
use super::static_key::StaticKey;
use zerospan_core::{Attribute, AttributeValue, SinkError};

/// Writes the attributes of an event or a link.
///
/// The last value of a key wins and takes the place of the first. Allocates only to grow the recorder's memory.
#[derive(Debug)]
pub struct AttributeWriter<'a> {
    /// The buffer that the attributes are appended to. It may hold other fields before them.
    pub(crate) buffer: &'a mut Vec<u8>,
    pub(crate) keys: &'a mut KeyIndex,
    /// The tag of the repeated field with the attributes.
    pub(crate) tag: u8,
    pub(crate) max_attributes: u32,
    pub(crate) max_chars: usize,
    /// The number of attributes beyond the limit or with an unsupported value.
    pub(crate) dropped: &'a mut u32,
}

impl AttributeWriter<'_> {
    /// Sets `key` to `value`. Drops and counts an attribute that is beyond the limits.
    #[inline(always)]
    pub fn set<'v>(&mut self, key: &StaticKey, value: impl Into<AttributeValue<'v>>) {
        // The recorder counts what it drops.
        let _ = self.try_set(key, value.into());
    }

    /// Sets `key` to `value`. Drops and counts an attribute that is beyond the limits.
    #[inline(always)]
    pub fn set_hashed<'v>(&mut self, key: HashedKey<'_>, value: impl Into<AttributeValue<'v>>) {
        // The recorder counts what it drops.
        let _ = self.try_set(key, value.into());
    }

    /// Sets an attribute. Drops and counts it if it is beyond the limits.
    #[inline(always)]
    pub fn set_attribute(&mut self, attribute: Attribute<'_>) {
        // The recorder counts what it drops.
        let _ = self.try_set(attribute.key, attribute.value);
    }

    /// Returns the number of attributes.
    #[inline]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Returns `true` if there are no attributes.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the number of attributes that were dropped.
    #[inline]
    pub fn dropped(&self) -> u32 {
        *self.dropped
    }

    /// Sets `key` to `value`, or counts the attribute as dropped and returns the reason.
    #[inline(always)]
    pub(crate) fn try_set<K: Key>(
        &mut self,
        key: K,
        value: AttributeValue<'_>,
    ) -> Result<(), SinkError> {
        let hash = key.hash();
        if self.keys.may_contain(hash) || self.keys.len() as u64 >= u64::from(self.max_attributes) {
            return self.reborrow().try_set_slow(hash, key.as_str(), value);
        }
        let start = self.buffer.len();
        match encode::encode(self.buffer, self.tag, key, value, self.max_chars) {
            Ok(()) => {
                self.keys.push(hash, start);
                Ok(())
            }
            Err(error) => Err(self.reborrow().count_dropped(error.into())),
        }
    }

    /// Sets a key that may have a value already, or may be beyond the limit.
    #[inline(never)]
    fn try_set_slow(
        &mut self,
        hash: u32,
        key: &str,
        value: AttributeValue<'_>,
    ) -> Result<(), SinkError> {
        let buffer = &*self.buffer;
        let found = self
            .keys
            .find(hash, |entry| encode::key_is(buffer, entry.start, key));
        if let Some(index) = found {
            return self.replace(index, key, value);
        }
        if self.keys.len() as u64 >= u64::from(self.max_attributes) {
            let capacity = self.max_attributes as usize;
            return Err(self.count_dropped(SinkError::Full { capacity }));
        }
        let start = self.buffer.len();
        match encode::encode(self.buffer, self.tag, key, value, self.max_chars) {
            Ok(()) => {
                self.keys.push(hash, start);
                Ok(())
            }
            Err(error) => Err(self.count_dropped(error.into())),
        }
    }

    /// Sets the attributes in `attributes`, which were written with the same tag. Copies their bytes. `dropped` counts those that
    /// were dropped before.
    #[inline]
    pub(crate) fn append(&mut self, attributes: &[u8], keys: &KeyIndex, dropped: u32) {
        let count = (self.keys.len() + keys.len()) as u64;
        let is_first = self.keys.len() == 0;
        if (is_first || self.keys.is_disjoint(keys)) && count <= u64::from(self.max_attributes) {
            let start = self.buffer.len();
            self.buffer.extend_from_slice(attributes);
            self.keys.push_all(keys, start);
            *self.dropped = self.dropped.saturating_add(dropped);
            return;
        }
        self.append_one_by_one(attributes, keys, dropped);
    }

    #[cold]
    fn append_one_by_one(&mut self, attributes: &[u8], keys: &KeyIndex, dropped: u32) {
        let entries = keys.entries();
        let ends = entries.iter().skip(1).map(|next| next.start);
        for (entry, end) in entries.iter().zip(ends.chain([attributes.len()])) {
            let Some(attribute) = attributes.get(entry.start..end) else {
                continue;
            };
            let (buffer, key) = (&*self.buffer, encode::key_at(attribute, 0));
            let found = self
                .keys
                .find(entry.hash, |held| encode::key_at(buffer, held.start) == key);
            let start = self.buffer.len();
            match found {
                Some(index) => {
                    self.buffer.extend_from_slice(attribute);
                    self.move_over(index, start);
                }
                None if self.keys.len() as u64 >= u64::from(self.max_attributes) => {
                    *self.dropped = self.dropped.saturating_add(1);
                }
                None => {
                    self.buffer.extend_from_slice(attribute);
                    self.keys.push(entry.hash, start);
                }
            }
        }
        *self.dropped = self.dropped.saturating_add(dropped);
    }

    /// Returns a copy of the writer for functions that are not inlined.
    ///
    /// They take the writer by address. With a copy for them, the compiler keeps the original in registers.
    #[inline(always)]
    pub(super) fn reborrow(&mut self) -> AttributeWriter<'_> {
        AttributeWriter {
            buffer: self.buffer,
            keys: self.keys,
            tag: self.tag,
            max_attributes: self.max_attributes,
            max_chars: self.max_chars,
            dropped: self.dropped,
        }
    }

    #[cold]
    #[inline(never)]
    pub(super) fn count_dropped(&mut self, error: SinkError) -> SinkError {
        *self.dropped = self.dropped.saturating_add(1);
        error
    }

    /// Replaces the value of the attribute `index`, in its place.
    fn replace(
        &mut self,
        index: usize,
        key: &str,
        value: AttributeValue<'_>,
    ) -> Result<(), SinkError> {
        let appended = self.buffer.len();
        if let Err(error) = encode::encode(self.buffer, self.tag, key, value, self.max_chars) {
            return Err(self.count_dropped(error.into()));
        }
        self.move_over(index, appended);
        Ok(())
    }

    /// Moves the attribute at `appended`, the last in the buffer, to the place of the attribute `index`, which it replaces.
    pub(super) fn move_over(&mut self, index: usize, appended: usize) {
        let start = self.keys.entries()[index].start;
        let end = match self.keys.entries().get(index + 1) {
            Some(next) => next.start,
            None => appended,
        };
        let (old, new) = (end - start, self.buffer.len() - appended);
        if old == new {
            self.buffer.copy_within(appended.., start);
            self.buffer.truncate(appended);
        } else {
            self.buffer[start..].rotate_right(new);
            self.buffer.drain(start + new..end + new);
            self.keys.shift(index + 1, old, new);
        }
    }
}

/// Converts the limit of [`SpanLimits`](crate::SpanLimits) to that of the encoder.
pub(crate) fn max_chars(max_attribute_value_length: Option<u32>) -> usize {
    max_attribute_value_length.map_or(UNLIMITED, |max_chars| max_chars as usize)
}
