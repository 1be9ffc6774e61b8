use crate::sets::into_iter::StackIntoIter;
use opentelemetry::KeyValue;
use smallvec::SmallVec;
use std::ops::{Deref, DerefMut};
use zerospan_core::{Attribute, AttributeSink, AttributeSource, Footprint, Reset, SinkError};

/// A vector of attributes that stores up to `N` inline, and spills to the heap beyond.
///
/// Saves the allocation of the vector: a `KeyValue` with static or shared text costs none then, and one with an owned
/// `String` still owns it. For text that is formatted for one span use [`InlineAttributes`](crate::InlineAttributes).
///
/// The set is a list: a key that is pushed twice is listed twice. A `KeyValue` has 56 bytes, so moving a set of 16 copies
/// about 900.
///
/// # Examples
///
/// ```
/// use opentelemetry::KeyValue;
/// use zerospan_stack::StackAttributes;
///
/// let mut attributes: StackAttributes = StackAttributes::new();
/// attributes.push(KeyValue::new("http.request.method", "GET"));
/// attributes.push(KeyValue::new("http.response.status_code", 200));
/// assert_eq!(attributes.len(), 2);
/// assert!(!attributes.spilled());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StackAttributes<const N: usize = 16>(SmallVec<[KeyValue; N]>);

/// Limits the room reserved on request: the requested number may be wrong.
const MAX_RESERVED: usize = 1024;

impl<const N: usize> StackAttributes<N> {
    /// Builds an empty set. Does not allocate.
    #[inline]
    pub fn new() -> Self {
        Self(SmallVec::new())
    }

    /// Appends an attribute. Allocates if the set spills, and if a spilled set must grow.
    #[inline]
    pub fn push(&mut self, attribute: KeyValue) {
        self.0.push(attribute);
    }

    /// Removes the attribute that was pushed last and returns it.
    #[inline]
    pub fn pop(&mut self) -> Option<KeyValue> {
        self.0.pop()
    }

    /// Returns the attributes, in the order of the pushes.
    #[inline]
    pub fn as_slice(&self) -> &[KeyValue] {
        &self.0
    }

    /// Returns `true` if the attributes are on the heap, since there were more than `N` at once.
    #[inline]
    pub fn spilled(&self) -> bool {
        self.0.spilled()
    }

    /// Returns the number of attributes that fit without a further allocation: at least `N`.
    #[inline]
    pub fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// Removes all attributes. A spilled set keeps its heap memory.
    #[inline]
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Moves the attributes into a vector of exactly their number: one allocation. A spilled set hands over its memory, and
    /// an empty one needs none: no allocation.
    pub fn into_vec(self) -> Vec<KeyValue> {
        if self.spilled() {
            return self.0.into_vec();
        }
        let mut vector = Vec::with_capacity(self.len());
        vector.extend(self.0);
        vector
    }
}

impl<const N: usize> Deref for StackAttributes<N> {
    type Target = [KeyValue];

    #[inline]
    fn deref(&self) -> &[KeyValue] {
        &self.0
    }
}

impl<const N: usize> DerefMut for StackAttributes<N> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [KeyValue] {
        &mut self.0
    }
}

impl<const N: usize> AttributeSource for StackAttributes<N> {
    #[inline]
    fn len(&self) -> usize {
        self.0.len()
    }

    #[inline]
    fn for_each<'a>(&'a self, visit: impl FnMut(Attribute<'a>)) {
        AttributeSource::for_each(self.as_slice(), visit);
    }
}

/// Copies key and value: allocates as [`Attribute::to_key_value`] does. [`push`](StackAttributes::push) moves them.
impl<const N: usize> AttributeSink for StackAttributes<N> {
    fn push_attribute(&mut self, attribute: Attribute<'_>) -> Result<(), SinkError> {
        self.push(attribute.to_key_value()?);
        Ok(())
    }

    /// Reserves room for at most 1,024 attributes; beyond that the set grows with each push.
    fn reserve_attributes(&mut self, additional: usize) {
        // A failure to reserve is not a failure to push.
        let _ = self.0.try_reserve(additional.min(MAX_RESERVED));
    }
}

impl<const N: usize> Reset for StackAttributes<N> {
    fn reset(&mut self) {
        self.clear();
    }
}

/// Returns 0 until the set spills.
impl<const N: usize> Footprint for StackAttributes<N> {
    fn heap_bytes(&self) -> usize {
        if self.spilled() {
            self.capacity() * size_of::<KeyValue>()
        } else {
            0
        }
    }
}

/// Ignores the iterator's `size_hint`.
impl<const N: usize> Extend<KeyValue> for StackAttributes<N> {
    fn extend<I: IntoIterator<Item = KeyValue>>(&mut self, attributes: I) {
        for attribute in attributes {
            self.push(attribute);
        }
    }
}

impl<const N: usize> FromIterator<KeyValue> for StackAttributes<N> {
    fn from_iter<I: IntoIterator<Item = KeyValue>>(attributes: I) -> Self {
        let mut set = Self::new();
        set.extend(attributes);
        set
    }
}

impl<const N: usize, const M: usize> From<[KeyValue; M]> for StackAttributes<N> {
    fn from(attributes: [KeyValue; M]) -> Self {
        attributes.into_iter().collect()
    }
}

/// Yields the attributes in the order of the pushes.
impl<const N: usize> IntoIterator for StackAttributes<N> {
    type Item = KeyValue;
    type IntoIter = StackIntoIter<N>;

    fn into_iter(self) -> StackIntoIter<N> {
        StackIntoIter(self.0.into_iter())
    }
}

impl<'a, const N: usize> IntoIterator for &'a StackAttributes<N> {
    type Item = &'a KeyValue;
    type IntoIter = std::slice::Iter<'a, KeyValue>;

    fn into_iter(self) -> Self::IntoIter {
        self.as_slice().iter()
    }
}
