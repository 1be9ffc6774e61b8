use opentelemetry::KeyValue;
use std::fmt;
use zerospan_core::{Attribute, AttributeSink, AttributeSource, AttributeValue, ExtendError};

/// A set of text attributes in a [`SharedAttributeArena`](crate::SharedAttributeArena): borrowed, `Copy`, readable from any
/// thread.
#[derive(Clone, Copy, Default)]
pub struct SharedAttributeSet<'a> {
    text: &'a str,
    ends: &'a [Ends],
}

impl<'a> SharedAttributeSet<'a> {
    /// Builds a set over `text`, the concatenated keys and values of `attributes`, and writes their offsets to `ends`.
    pub(super) fn new(ends: &'a mut [Ends], text: &'a str, attributes: &[(&str, &str)]) -> Self {
        let mut end = 0;
        for (ends, (key, value)) in ends.iter_mut().zip(attributes) {
            let key = end + key.len();
            end = key + value.len();
            *ends = Ends { key, value: end };
        }
        Self { text, ends }
    }

    /// Iterates over the attributes in order. Does not allocate.
    pub fn iter(&self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        let (text, mut start) = (self.text, 0);
        self.ends.iter().map(move |ends| {
            let key = &text[start..ends.key];
            start = ends.value;
            Attribute {
                key,
                value: AttributeValue::Str(&text[ends.key..ends.value]),
            }
        })
    }

    /// Copies the set into the API crate's owned form.
    ///
    /// Allocates once for the vector, and once for each key and each non-empty value.
    ///
    /// # Errors
    ///
    /// None for a set of text.
    pub fn to_key_values(&self) -> Result<Vec<KeyValue>, ExtendError> {
        let mut vector = Vec::new();
        vector.push_all(self)?;
        Ok(vector)
    }
}

impl AttributeSource for SharedAttributeSet<'_> {
    #[inline]
    fn len(&self) -> usize {
        self.ends.len()
    }

    #[inline]
    fn for_each<'s>(&'s self, visit: impl FnMut(Attribute<'s>)) {
        self.iter().for_each(visit);
    }
}

impl fmt::Debug for SharedAttributeSet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// The offsets at which a key and its value end, within the text of a set.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ends {
    key: usize,
    value: usize,
}
