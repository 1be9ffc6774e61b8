use crate::fill::take_back;
use crate::{InlineError, Text};
use arrayvec::{ArrayString, ArrayVec};
use opentelemetry::Value;
use std::fmt;
use zerospan_core::{
    AsAttributeValue, Attribute, AttributeSink, AttributeSource, AttributeValue, Footprint, Reset,
    SinkError,
};

/// Up to `N` attributes whose keys and values share `TEXT` bytes, all of it where the set is declared: formatted
/// attributes without a heap.
///
/// The API crate's `KeyValue` cannot hold inline text, so this set is not made of it: an encoder, a span or any other
/// [`AttributeSink`] reads it as an [`AttributeSource`]. It is a list: a key that is pushed twice is listed twice, and the
/// sink decides.
///
/// Text, numbers and booleans never allocate. Arrays have no inline form and are the exception: each is copied to the heap,
/// as [`AttributeValue::to_value`] does.
///
/// Moving a set copies all of it, about `TEXT + 24 * N` bytes: fill it where it is declared and pass it by reference.
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

/// Where the key stands in the text, and what the value is.
#[derive(Clone, Copy)]
struct Entry {
    start: u32,
    key_end: u32,
    value: Held,
}

/// What an entry holds of its value.
#[derive(Clone, Copy)]
enum Held {
    Bool(bool),
    I64(i64),
    F64(f64),
    /// Text from the key's end to here.
    Text(u32),
    /// The index of an array.
    Array(u32),
}

/// Offsets and indices are `u32`: an `ArrayString` and an `ArrayVec` hold no more than that.
fn offset(length: usize) -> u32 {
    length as u32
}

impl<const N: usize, const TEXT: usize> InlineAttributes<N, TEXT> {
    /// An empty set. Does not allocate.
    #[inline]
    pub fn new() -> Self {
        Self {
            entries: ArrayVec::new(),
            text: ArrayString::new(),
            arrays: Vec::new(),
        }
    }

    /// Appends an attribute whose key and value are both text, written in place. Does not allocate.
    ///
    /// For a number or a boolean as a value in its own right there is [`try_push_value`](Self::try_push_value).
    ///
    /// # Errors
    ///
    /// [`InlineError::Full`] if the set holds `N` attributes, [`InlineError::TextFull`] if there is no room for the text,
    /// [`InlineError::Format`] if a `Display` in it fails. The set is as it was before.
    // Always: where it is a call, the lengths of literals are not known, and each costs a call to copy it.
    #[inline(always)]
    pub fn try_push(&mut self, key: impl Text, value: impl Text) -> Result<(), InlineError> {
        let start = self.text.len();
        if self.entries.is_full() {
            return Err(InlineError::Full { capacity: N });
        }
        let key_end = match key.write_to(&mut self.text) {
            Ok(()) => offset(self.text.len()),
            Err(error) => return Err(take_back(&mut self.text, start, error)),
        };
        let end = match value.write_to(&mut self.text) {
            Ok(()) => offset(self.text.len()),
            Err(error) => return Err(take_back(&mut self.text, start, error)),
        };
        self.entries.push(Entry {
            start: offset(start),
            key_end,
            value: Held::Text(end),
        });
        Ok(())
    }

    /// Appends an attribute whose value keeps its kind. Allocates nothing, but for an array: that goes to the heap.
    ///
    /// # Errors
    ///
    /// As for [`try_push`](Self::try_push), and [`InlineError::Unsupported`] for a value of a kind that is not known.
    #[inline]
    pub fn try_push_value(
        &mut self,
        key: impl Text,
        value: impl AsAttributeValue,
    ) -> Result<(), InlineError> {
        let held = match value.as_attribute_value() {
            AttributeValue::Str(text) => return self.try_push(key, text),
            AttributeValue::Bool(value) => Held::Bool(value),
            AttributeValue::I64(value) => Held::I64(value),
            AttributeValue::F64(value) => Held::F64(value),
            array => return self.try_push_array(&key, array),
        };
        self.try_push_held(&key, held)
    }

    #[inline]
    fn try_push_held(&mut self, key: &impl Text, value: Held) -> Result<(), InlineError> {
        let start = self.text.len();
        if self.entries.is_full() {
            return Err(InlineError::Full { capacity: N });
        }
        let key_end = match key.write_to(&mut self.text) {
            Ok(()) => offset(self.text.len()),
            Err(error) => return Err(take_back(&mut self.text, start, error)),
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
        self.try_push_held(key, Held::Array(offset(self.arrays.len())))?;
        self.arrays.push(array);
        Ok(())
    }

    /// The attribute at `index`, counted from 0.
    #[inline]
    pub fn at(&self, index: usize) -> Option<Attribute<'_>> {
        self.entries.get(index).map(|entry| self.view(entry))
    }

    /// The value that was pushed last with `key`. Compares every key until it is found.
    pub fn get(&self, key: &str) -> Option<AttributeValue<'_>> {
        let mut attributes = self.entries.iter().rev().map(|entry| self.view(entry));
        attributes
            .find(|attribute| attribute.key == key)
            .map(|attribute| attribute.value)
    }

    /// How many attributes there is room for in all: `N`.
    #[inline]
    pub const fn capacity(&self) -> usize {
        N
    }

    /// How many bytes of text there is room for in all: `TEXT`.
    #[inline]
    pub const fn text_capacity(&self) -> usize {
        TEXT
    }

    /// How many bytes of text the keys and values take.
    #[inline]
    pub fn text_len(&self) -> usize {
        self.text.len()
    }

    /// Forgets every attribute; what arrays took on the heap is kept for the next ones.
    #[inline]
    pub fn clear(&mut self) {
        self.entries.clear();
        self.text.clear();
        self.arrays.clear();
    }

    #[inline]
    fn view(&self, entry: &Entry) -> Attribute<'_> {
        let (start, key_end) = (entry.start as usize, entry.key_end as usize);
        // The offsets are those of whole texts: neither lookup fails.
        Attribute {
            key: self.text.get(start..key_end).unwrap_or_default(),
            value: match entry.value {
                Held::Bool(value) => AttributeValue::Bool(value),
                Held::I64(value) => AttributeValue::I64(value),
                Held::F64(value) => AttributeValue::F64(value),
                Held::Text(end) => {
                    AttributeValue::Str(self.text.get(key_end..end as usize).unwrap_or_default())
                }
                Held::Array(index) => self
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

/// Copies key and value into the set, as [`try_push_value`](InlineAttributes::try_push_value) does. Text that does not fit
/// is [`SinkError::OutOfSpace`].
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

/// 0 as long as no array was pushed.
impl<const N: usize, const TEXT: usize> Footprint for InlineAttributes<N, TEXT> {
    fn heap_bytes(&self) -> usize {
        self.arrays.heap_bytes()
    }
}
