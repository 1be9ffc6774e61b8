use crate::attribute::{self, UNLIMITED};
use crate::key::{HashedKey, Key, StaticKey};
use crate::key_index::KeyIndex;
use crate::shared;
use zerospan_core::{
    Attribute, AttributeSink, AttributeSource, AttributeValue, ExtendError, SinkError,
};

/// Takes the attributes of an event or a link that is being written.
///
/// The last value of a key wins and keeps the place of the first. Allocates only where the recorder's memory has to grow.
#[derive(Debug)]
pub struct AttributeWriter<'a> {
    /// Where the attributes stand: behind what else the area holds.
    pub(crate) area: &'a mut Vec<u8>,
    pub(crate) keys: &'a mut KeyIndex,
    pub(crate) tag: u8,
    pub(crate) most: u32,
    pub(crate) most_chars: usize,
    /// How many were dropped: beyond the limit, or of an unsupported kind.
    pub(crate) dropped: &'a mut u32,
}

impl AttributeWriter<'_> {
    /// Sets `key` to `value`. What does not fit the limits is dropped and counted.
    #[inline(always)]
    pub fn set<'v>(&mut self, key: &StaticKey, value: impl Into<AttributeValue<'v>>) {
        // What is refused is counted.
        let _ = self.put(key, value.into());
    }

    /// Sets `key` to `value`. What does not fit the limits is dropped and counted.
    #[inline(always)]
    pub fn set_hashed<'v>(&mut self, key: HashedKey<'_>, value: impl Into<AttributeValue<'v>>) {
        // What is refused is counted.
        let _ = self.put(key, value.into());
    }

    /// Sets an attribute. What does not fit the limits is dropped and counted.
    #[inline(always)]
    pub fn set_attribute(&mut self, attribute: Attribute<'_>) {
        // What is refused is counted.
        let _ = self.put(attribute.key, attribute.value);
    }

    /// Sets every attribute of `source`. What does not fit the limits is dropped and counted.
    #[inline]
    pub fn extend<S: AttributeSource + ?Sized>(&mut self, source: &S) {
        if let Some(cache) = source.encoding_cache()
            && shared::copy(self, source, cache)
        {
            return;
        }
        self.extend_one_by_one(source);
    }

    #[inline]
    pub(crate) fn extend_one_by_one<S: AttributeSource + ?Sized>(&mut self, source: &S) {
        source.for_each(|attribute| self.set_attribute(attribute));
    }

    /// How many attributes are held.
    #[inline]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether no attribute is held.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many attributes were dropped.
    #[inline]
    pub fn dropped(&self) -> u32 {
        *self.dropped
    }

    #[inline(always)]
    pub(crate) fn put<K: Key>(
        &mut self,
        key: K,
        value: AttributeValue<'_>,
    ) -> Result<(), SinkError> {
        let hash = key.hash();
        if self.keys.may_have(hash) || self.keys.len() as u64 >= u64::from(self.most) {
            return self.apart().put_again(hash, key.as_str(), value);
        }
        let start = self.area.len();
        match attribute::write(self.area, self.tag, key, value, self.most_chars) {
            Ok(()) => {
                self.keys.push(hash, start);
                Ok(())
            }
            Err(error) => Err(self.apart().refuse(error.into())),
        }
    }

    /// As [`put`](Self::put), for a key that may be held already, or be one too many.
    #[inline(never)]
    fn put_again(
        &mut self,
        hash: u32,
        key: &str,
        value: AttributeValue<'_>,
    ) -> Result<(), SinkError> {
        let area = &*self.area;
        let found = self
            .keys
            .find(hash, |entry| attribute::key_is(area, entry.start, key));
        if let Some(index) = found {
            return self.replace(index, key, value);
        }
        if self.keys.len() as u64 >= u64::from(self.most) {
            let capacity = self.most as usize;
            return Err(self.refuse(SinkError::Full { capacity }));
        }
        let start = self.area.len();
        match attribute::write(self.area, self.tag, key, value, self.most_chars) {
            Ok(()) => {
                self.keys.push(hash, start);
                Ok(())
            }
            Err(error) => Err(self.refuse(error.into())),
        }
    }

    /// The same writer in another place: what is called for the rare cases wants it in memory, and may have the copy, so that
    /// for the usual ones it need not be there.
    #[inline(always)]
    fn apart(&mut self) -> AttributeWriter<'_> {
        AttributeWriter {
            area: self.area,
            keys: self.keys,
            tag: self.tag,
            most: self.most,
            most_chars: self.most_chars,
            dropped: self.dropped,
        }
    }

    #[cold]
    #[inline(never)]
    fn refuse(&mut self, error: SinkError) -> SinkError {
        *self.dropped = self.dropped.saturating_add(1);
        error
    }

    /// Gives the attribute `index` another value, in its place.
    fn replace(
        &mut self,
        index: usize,
        key: &str,
        value: AttributeValue<'_>,
    ) -> Result<(), SinkError> {
        let start = self.keys.entries()[index].start;
        let end = match self.keys.entries().get(index + 1) {
            Some(next) => next.start,
            None => self.area.len(),
        };
        let behind = self.area.len();
        if let Err(error) = attribute::write(self.area, self.tag, key, value, self.most_chars) {
            return Err(self.refuse(error.into()));
        }
        let (old, new) = (end - start, self.area.len() - behind);
        if old == new {
            self.area.copy_within(behind.., start);
            self.area.truncate(behind);
        } else {
            self.area[start..].rotate_right(new);
            self.area.drain(start + new..end + new);
            self.keys.shift(index + 1, old, new);
        }
        Ok(())
    }
}

impl AttributeSink for AttributeWriter<'_> {
    #[inline]
    fn push_attribute(&mut self, attribute: Attribute<'_>) -> Result<(), SinkError> {
        self.put(attribute.key, attribute.value)
    }

    fn reserve_attributes(&mut self, additional: usize) {
        self.keys.reserve(additional.min(self.most as usize));
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

/// The limit as the writer of values takes it.
pub(crate) fn most_chars(value_length: Option<u32>) -> usize {
    value_length.map_or(UNLIMITED, |most| most as usize)
}
