use opentelemetry::KeyValue;
use std::fmt;
use zerospan_core::{Attribute, AttributeSink, AttributeSource, AttributeValue, ExtendError};

/// Pairs of text in a [`SharedAttributeArena`](crate::SharedAttributeArena): borrowed, copied by copying two references, readable from any thread.
#[derive(Clone, Copy, Default)]
pub struct SharedAttributeSet<'a> {
    text: &'a str,
    ends: &'a [Ends],
}

impl<'a> SharedAttributeSet<'a> {
    /// A set over `text`, which is all keys and values of `attributes` in order; notes in `ends` where each ends.
    pub(super) fn new(ends: &'a mut [Ends], text: &'a str, attributes: &[(&str, &str)]) -> Self {
        let mut end = 0;
        for (ends, (key, value)) in ends.iter_mut().zip(attributes) {
            let key = end + key.len();
            end = key + value.len();
            *ends = Ends { key, value: end };
        }
        Self { text, ends }
    }

    /// The attributes in order. Does not allocate.
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

    /// Copies the set out of the arena, into the API crate's owned form.
    ///
    /// Allocates on the heap: the vector once, each key and each non-empty value once.
    ///
    /// # Errors
    ///
    /// None that a set of text can cause.
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

/// Where a key and its value end, within the text of a set.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ends {
    key: usize,
    value: usize,
}
