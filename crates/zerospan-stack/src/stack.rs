use opentelemetry::KeyValue;
use smallvec::SmallVec;
use std::ops::{Deref, DerefMut};
use zerospan_core::{Attribute, AttributeSink, AttributeSource, Footprint, Reset, SinkError};

/// Attributes in a vector whose first `N` places are where it is declared; more of them spill to the heap.
///
/// What is saved is the vector: a `KeyValue` with static or shared text costs no allocation then, one with an owned
/// `String` still owns that. Text that is formatted for one span belongs into [`InlineAttributes`](crate::InlineAttributes).
///
/// It is a list, like the vector it stands for: a key that is pushed twice is listed twice. A `KeyValue` has 56 bytes, so
/// moving a set of 16 copies about 900.
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

/// How many attributes a hint is believed about: more than any span should have, less than a lie could cost.
const BELIEVED: usize = 1024;

impl<const N: usize> StackAttributes<N> {
    /// An empty set. Does not allocate.
    #[inline]
    pub fn new() -> Self {
        Self(SmallVec::new())
    }

    /// Appends an attribute. Allocates if the set holds `N` and has not spilled, and where a spilled one must grow.
    #[inline]
    pub fn push(&mut self, attribute: KeyValue) {
        self.0.push(attribute);
    }

    /// Removes the attribute that was pushed last.
    #[inline]
    pub fn pop(&mut self) -> Option<KeyValue> {
        self.0.pop()
    }

    /// The attributes, in the order they were pushed.
    #[inline]
    pub fn as_slice(&self) -> &[KeyValue] {
        &self.0
    }

    /// Whether the attributes lie on the heap, because there were more than `N` at once.
    #[inline]
    pub fn spilled(&self) -> bool {
        self.0.spilled()
    }

    /// How many attributes fit without a further allocation: at least `N`.
    #[inline]
    pub fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// Forgets every attribute. A set that spilled keeps its heap memory.
    #[inline]
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Moves the attributes into a vector of exactly their number: one allocation. A spilled set hands over the memory it
    /// has, an empty one makes a vector that has none: no allocation.
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

/// Copies key and value into owned ones, since that is all a `KeyValue` can be made of here: allocates as
/// [`Attribute::to_key_value`] says. [`push`](StackAttributes::push) moves.
impl<const N: usize> AttributeSink for StackAttributes<N> {
    fn push_attribute(&mut self, attribute: Attribute<'_>) -> Result<(), SinkError> {
        self.push(attribute.to_key_value()?);
        Ok(())
    }

    /// Believes a request for up to 1,024 attributes; a set grows beyond as they come.
    fn reserve_attributes(&mut self, additional: usize) {
        // A failure to reserve is no failure to push.
        let _ = self.0.try_reserve(additional.min(BELIEVED));
    }
}

impl<const N: usize> Reset for StackAttributes<N> {
    fn reset(&mut self) {
        self.clear();
    }
}

/// 0 as long as the set has not spilled.
impl<const N: usize> Footprint for StackAttributes<N> {
    fn heap_bytes(&self) -> usize {
        if self.spilled() {
            self.capacity() * size_of::<KeyValue>()
        } else {
            0
        }
    }
}

/// Takes what the iterator yields, whatever its `size_hint` says.
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

/// Yields the attributes in the order they were pushed.
impl<const N: usize> IntoIterator for StackAttributes<N> {
    type Item = KeyValue;
    type IntoIter = smallvec::IntoIter<[KeyValue; N]>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, const N: usize> IntoIterator for &'a StackAttributes<N> {
    type Item = &'a KeyValue;
    type IntoIter = std::slice::Iter<'a, KeyValue>;

    fn into_iter(self) -> Self::IntoIter {
        self.as_slice().iter()
    }
}
