use crate::error::InlineError;
use crate::text::pieces::Text;
use crate::text::write::rollback;
use arrayvec::{ArrayString, ArrayVec};
use opentelemetry::Value;
use std::fmt;
use zerospan_core::{
    AsAttributeValue, Attribute, AttributeSink, AttributeSource, AttributeValue, Footprint, Reset,
    SinkError,
};

/// Up to `N` attributes, stored inline: their keys and values share `TEXT` bytes. For formatted attributes without heap
/// allocation.
///
/// The API crate's `KeyValue` cannot hold inline text, so the set does not consist of `KeyValue`s: an encoder, a span or
/// any other [`AttributeSink`] reads it as an [`AttributeSource`]. The set is a list: a key that is pushed twice is listed
/// twice.
///
/// Text, numbers and booleans do not allocate. Arrays have no inline form: each is copied to the heap, as
/// [`AttributeValue::to_value`] does.
///
/// Moving a set copies about `TEXT + 24 * N` bytes: fill it in place and pass it by reference.
///
/// # Examples
///
/// ```
/// use zerospan_core::{Attribute, AttributeSource};
/// use zerospan_stack::{InlineAttributes, InlineError};
///
/// # fn main() -> Result<(), InlineError> {
/// let mut attributes = InlineAttributes::<8, 256>::new();
/// for (index, host) in ["a.example", "b.example"].iter().enumerate() {
///     attributes.try_push(("peer.", index), (host, ':', 4317))?;
/// }
/// attributes.try_push_value("peer.count", 2)?;
/// assert_eq!(attributes.get("peer.1"), Some("b.example:4317".into()));
/// assert_eq!(attributes.len(), 3);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct InlineAttributes<const N: usize = 8, const TEXT: usize = 512> {
    entries: ArrayVec<Entry, N>,
    text: ArrayString<TEXT>,
    arrays: Vec<Value>,
}

/// One attribute: the range of its key in the text, and its value.
#[derive(Clone, Copy)]
struct Entry {
    start: u32,
    key_end: u32,
    value: EntryValue,
}

#[derive(Clone, Copy)]
enum EntryValue {
    Bool(bool),
    I64(i64),
    F64(f64),
    /// The text from the key's end to this offset.
    Text(u32),
    /// An index into `arrays`.
    Array(u32),
}

/// Converts an offset or an index: an `ArrayString` and an `ArrayVec` hold at most `u32::MAX`.
fn offset(length: usize) -> u32 {
    length as u32
}

impl<const N: usize, const TEXT: usize> InlineAttributes<N, TEXT> {
    /// Builds an empty set. Does not allocate.
    #[inline]
    pub fn new() -> Self {
        Self {
            entries: ArrayVec::new(),
            text: ArrayString::new(),
            arrays: Vec::new(),
        }
    }

    /// Appends an attribute whose key and value are text, written in place. Does not allocate.
    ///
    /// [`try_push_value`](Self::try_push_value) appends a number or a boolean as a value of its kind.
    ///
    /// # Errors
    ///
    /// [`InlineError::Full`] if the set holds `N` attributes, [`InlineError::TextFull`] if there is no room for the text,
    /// [`InlineError::Format`] if a `Display` in it fails. The set is unchanged.
    // Always inlined: an outlined copy does not know the lengths of literals and calls `memcpy` for each.
    #[inline(always)]
    pub fn try_push(&mut self, key: impl Text, value: impl Text) -> Result<(), InlineError> {
        let start = self.text.len();
        if self.entries.is_full() {
            return Err(InlineError::Full { capacity: N });
        }
        let key_end = match key.write_to(&mut self.text) {
            Ok(()) => offset(self.text.len()),
            Err(error) => return Err(rollback(&mut self.text, start, error)),
        };
        let end = match value.write_to(&mut self.text) {
            Ok(()) => offset(self.text.len()),
            Err(error) => return Err(rollback(&mut self.text, start, error)),
        };
        self.entries.push(Entry {
            start: offset(start),
            key_end,
            value: EntryValue::Text(end),
        });
        Ok(())
    }

    /// Appends an attribute whose value keeps its kind. Allocates only for an array.
    ///
    /// # Errors
    ///
    /// As for [`try_push`](Self::try_push), and [`InlineError::Unsupported`] for a value of an unknown kind.
    #[inline]
    pub fn try_push_value(
        &mut self,
        key: impl Text,
        value: impl AsAttributeValue,
    ) -> Result<(), InlineError> {
        let value = match value.as_attribute_value() {
            AttributeValue::Str(text) => return self.try_push(key, text),
            AttributeValue::Bool(value) => EntryValue::Bool(value),
            AttributeValue::I64(value) => EntryValue::I64(value),
            AttributeValue::F64(value) => EntryValue::F64(value),
            array => return self.try_push_array(&key, array),
        };
        self.try_push_entry(&key, value)
    }

    #[inline]
    fn try_push_entry(&mut self, key: &impl Text, value: EntryValue) -> Result<(), InlineError> {
        let start = self.text.len();
        if self.entries.is_full() {
            return Err(InlineError::Full { capacity: N });
        }
        let key_end = match key.write_to(&mut self.text) {
            Ok(()) => offset(self.text.len()),
            Err(error) => return Err(rollback(&mut self.text, start, error)),
        };
        self.entries.push(Entry {
            start: offset(start),
            key_end,
            value,
        });
        Ok(())
    }

    #[cold]
    fn try_push_array(
        &mut self,
        key: &impl Text,
        array: AttributeValue<'_>,
    ) -> Result<(), InlineError> {
        let array = array.to_value().map_err(|_| InlineError::Unsupported)?;
        self.try_push_entry(key, EntryValue::Array(offset(self.arrays.len())))?;
        self.arrays.push(array);
        Ok(())
    }

    /// Returns the attribute at `index`, counted from 0.
    #[inline]
    pub fn at(&self, index: usize) -> Option<Attribute<'_>> {
        self.entries.get(index).map(|entry| self.view(entry))
    }

    /// Returns the value that was pushed last with `key`. Searches linearly.
    pub fn get(&self, key: &str) -> Option<AttributeValue<'_>> {
        let mut attributes = self.entries.iter().rev().map(|entry| self.view(entry));
        attributes
            .find(|attribute| attribute.key == key)
            .map(|attribute| attribute.value)
    }

    /// Returns the maximum number of attributes: `N`.
    #[inline]
    pub const fn capacity(&self) -> usize {
        N
    }

    /// Returns the maximum number of bytes of text: `TEXT`.
    #[inline]
    pub const fn text_capacity(&self) -> usize {
        TEXT
    }

    /// Returns the number of bytes of text in all keys and values.
    #[inline]
    pub fn text_len(&self) -> usize {
        self.text.len()
    }

    /// Removes all attributes. Keeps the heap memory of the list of arrays.
    #[inline]
    pub fn clear(&mut self) {
        self.entries.clear();
        self.text.clear();
        self.arrays.clear();
    }

    #[inline]
    fn view(&self, entry: &Entry) -> Attribute<'_> {
        let (start, key_end) = (entry.start as usize, entry.key_end as usize);
        // The offsets are character boundaries within the text: neither lookup fails.
        Attribute {
            key: self.text.get(start..key_end).unwrap_or_default(),
            value: match entry.value {
                EntryValue::Bool(value) => AttributeValue::Bool(value),
                EntryValue::I64(value) => AttributeValue::I64(value),
                EntryValue::F64(value) => AttributeValue::F64(value),
                EntryValue::Text(end) => {
                    AttributeValue::Str(self.text.get(key_end..end as usize).unwrap_or_default())
                }
                EntryValue::Array(index) => self
                    .arrays
                    .get(index as usize)
                    .map_or(AttributeValue::Unsupported, Value::as_attribute_value),
            },
        }
    }
}

impl<const N: usize, const TEXT: usize> fmt::Debug for InlineAttributes<N, TEXT> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let attributes = self.entries.iter().map(|entry| self.view(entry));
        f.debug_map()
            .entries(attributes.map(|attribute| (attribute.key, attribute.value)))
            .finish()
    }
}

impl<const N: usize, const TEXT: usize> AttributeSource for InlineAttributes<N, TEXT> {
    #[inline]
    fn len(&self) -> usize {
        self.entries.len()
    }

    #[inline]
    fn for_each<'a>(&'a self, mut visit: impl FnMut(Attribute<'a>)) {
        for entry in &self.entries {
            visit(self.view(entry));
        }
    }
}

/// Copies key and value, as [`try_push_value`](InlineAttributes::try_push_value) does. Text that does not fit is
/// [`SinkError::OutOfSpace`].
impl<const N: usize, const TEXT: usize> AttributeSink for InlineAttributes<N, TEXT> {
    #[inline]
    fn push_attribute(&mut self, attribute: Attribute<'_>) -> Result<(), SinkError> {
        self.try_push_value(attribute.key, attribute.value)
            .map_err(|error| match error {
                InlineError::Unsupported => SinkError::Unsupported,
                InlineError::Full { capacity } => SinkError::Full { capacity },
                _ => SinkError::OutOfSpace { capacity: TEXT },
            })
    }
}

impl<const N: usize, const TEXT: usize> Reset for InlineAttributes<N, TEXT> {
    fn reset(&mut self) {
        self.clear();
    }
}

/// Counts the list of arrays.
impl<const N: usize, const TEXT: usize> Footprint for InlineAttributes<N, TEXT> {
    fn heap_bytes(&self) -> usize {
        self.arrays.heap_bytes()
    }
}
