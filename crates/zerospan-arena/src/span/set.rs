use opentelemetry::KeyValue;
use std::ops::Deref;
use zerospan_core::{Attribute, AttributeSink, AttributeSource, ExtendError};

/// A set of attributes in an arena: a borrowed list, which is `Copy`.
///
/// Dereferences to the slice of its attributes, and can be read from any thread:
///
/// ```
/// fn assert_send_sync<T: Send + Sync>() {}
/// assert_send_sync::<zerospan_arena::AttributeSet<'_>>();
/// ```
///
/// A set cannot outlive the reset of its arena:
///
/// ```compile_fail,E0502
/// use zerospan_arena::SpanAttributeArena;
///
/// let mut arena = SpanAttributeArena::new();
/// let set = arena.create_attributes(&[("http.route", "/")]);
/// arena.reset();
/// println!("{set:?}");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AttributeSet<'a> {
    list: &'a [Attribute<'a>],
}

impl<'a> AttributeSet<'a> {
    #[inline]
    pub(crate) fn new(list: &'a [Attribute<'a>]) -> Self {
        Self { list }
    }

    /// Returns the attributes, which live until the reset of the arena.
    #[inline]
    pub fn as_slice(&self) -> &'a [Attribute<'a>] {
        self.list
    }

    /// Copies the set into the API crate's owned form.
    ///
    /// Allocates once for the vector, once for each key, and for each value as
    /// [`AttributeValue::to_value`](zerospan_core::AttributeValue::to_value) does: 17 allocations for 8 attributes of text.
    ///
    /// # Errors
    ///
    /// None for the sets of this crate, which reject unsupported values when they are filled.
    pub fn to_key_values(&self) -> Result<Vec<KeyValue>, ExtendError> {
        let mut vector = Vec::new();
        vector.push_all(self.list)?;
        Ok(vector)
    }
}

impl<'a> Deref for AttributeSet<'a> {
    type Target = [Attribute<'a>];

    #[inline]
    fn deref(&self) -> &[Attribute<'a>] {
        self.list
    }
}

impl AttributeSource for AttributeSet<'_> {
    #[inline]
    fn len(&self) -> usize {
        self.list.len()
    }

    #[inline]
    fn for_each<'s>(&'s self, visit: impl FnMut(Attribute<'s>)) {
        AttributeSource::for_each(self.list, visit);
    }
}
