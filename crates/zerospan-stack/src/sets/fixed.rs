use crate::sets::into_iter::FixedIntoIter;
use arrayvec::ArrayVec;
use opentelemetry::KeyValue;
use std::ops::{Deref, DerefMut};
use zerospan_core::{
    Attribute, AttributeSink, AttributeSource, CapacityError, Footprint, Reset, SinkError,
};

/// At most `N` attributes, stored inline: a full set hands the next one back.
///
/// The set is a list: a key that is pushed twice is listed twice. [`fixed_attributes!`](crate::fixed_attributes) and
/// [`create_fixed_attributes`] build a set whose size is checked at compile time.
///
/// # Examples
///
/// ```
/// use opentelemetry::KeyValue;
/// use zerospan_core::CapacityError;
/// use zerospan_stack::FixedAttributes;
///
/// let mut attributes = FixedAttributes::<1>::new();
/// assert!(attributes.try_push(KeyValue::new("first", 1)).is_ok());
///
/// let second = KeyValue::new("second", 2);
/// let returned = attributes.try_push(second.clone());
/// assert_eq!(returned, Err(CapacityError::new(second, 1)));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FixedAttributes<const N: usize = 8>(ArrayVec<KeyValue, N>);

impl<const N: usize> FixedAttributes<N> {
    /// Builds an empty set. Does not allocate.
    #[inline]
    pub fn new() -> Self {
        Self(ArrayVec::new())
    }

    /// Appends an attribute. Does not allocate.
    ///
    /// # Errors
    ///
    /// [`CapacityError`] with the attribute, if the set is full.
    #[inline]
    pub fn try_push(&mut self, attribute: KeyValue) -> Result<(), CapacityError<KeyValue>> {
        self.0
            .try_push(attribute)
            .map_err(|full| CapacityError::new(full.element(), N))
    }

    /// Appends the attributes of an iterator until one does not fit. Ignores its `size_hint`.
    ///
    /// # Errors
    ///
    /// [`CapacityError`] with the first attribute that did not fit. The set keeps those before it, and the iterator those
    /// after it: pass it by `&mut` to go on.
    pub fn try_extend(
        &mut self,
        attributes: impl IntoIterator<Item = KeyValue>,
    ) -> Result<(), CapacityError<KeyValue>> {
        attributes
            .into_iter()
            .try_for_each(|attribute| self.try_push(attribute))
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

    /// Returns the maximum number of attributes: `N`.
    #[inline]
    pub const fn capacity(&self) -> usize {
        N
    }

    /// Returns `true` if the set holds `N` attributes.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.0.is_full()
    }

    /// Removes all attributes.
    #[inline]
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// Moves an array of `M` attributes into a set of at most `N`. It is a compile error if `M` exceeds `N`. Does not allocate.
///
/// # Examples
///
/// ```
/// use opentelemetry::KeyValue;
/// use zerospan_stack::{FixedAttributes, create_fixed_attributes};
///
/// let attributes: FixedAttributes<2> = create_fixed_attributes([
///     KeyValue::new("http.request.method", "GET"),
///     KeyValue::new("http.response.status_code", 200),
/// ]);
/// assert!(attributes.is_full());
/// ```
///
/// One too many does not compile:
///
/// ```compile_fail,E0080
/// use opentelemetry::KeyValue;
/// use zerospan_stack::{FixedAttributes, create_fixed_attributes};
///
/// let attributes: FixedAttributes<1> = create_fixed_attributes([
///     KeyValue::new("http.request.method", "GET"),
///     KeyValue::new("http.response.status_code", 200),
/// ]);
/// ```
pub fn create_fixed_attributes<const M: usize, const N: usize>(
    attributes: [KeyValue; M],
) -> FixedAttributes<N> {
    const {
        assert!(
            M <= N,
            "too many attributes: choose a FixedAttributes of a larger capacity"
        );
    }
    FixedAttributes(attributes.into_iter().collect())
}

/// Builds a [`FixedAttributes`] from `key => value` pairs. Too many pairs are a compile error.
///
/// Keys convert into a [`Key`](opentelemetry::Key), and values into a [`Value`](opentelemetry::Value). The capacity is
/// that of the expected type.
///
/// # Examples
///
/// ```
/// use zerospan_stack::{FixedAttributes, fixed_attributes};
///
/// let attributes: FixedAttributes = fixed_attributes![
///     "http.request.method" => "GET",
///     "http.response.status_code" => 200,
/// ];
/// assert_eq!(attributes.len(), 2);
/// ```
///
/// ```compile_fail,E0080
/// use zerospan_stack::{FixedAttributes, fixed_attributes};
///
/// let attributes: FixedAttributes<2> = fixed_attributes!["a" => 1, "b" => 2, "c" => 3];
/// ```
#[macro_export]
macro_rules! fixed_attributes {
    ($($key:expr => $value:expr),* $(,)?) => {
        $crate::create_fixed_attributes([$($crate::__private::KeyValue::new($key, $value)),*])
    };
}

impl<const N: usize> Deref for FixedAttributes<N> {
    type Target = [KeyValue];

    #[inline]
    fn deref(&self) -> &[KeyValue] {
        &self.0
    }
}

impl<const N: usize> DerefMut for FixedAttributes<N> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [KeyValue] {
        &mut self.0
    }
}

impl<const N: usize> AttributeSource for FixedAttributes<N> {
    #[inline]
    fn len(&self) -> usize {
        self.0.len()
    }

    #[inline]
    fn for_each<'a>(&'a self, visit: impl FnMut(Attribute<'a>)) {
        AttributeSource::for_each(self.as_slice(), visit);
    }
}

/// Copies key and value: allocates as [`Attribute::to_key_value`] does, and only if there is room.
/// [`try_push`](FixedAttributes::try_push) moves them.
impl<const N: usize> AttributeSink for FixedAttributes<N> {
    fn push_attribute(&mut self, attribute: Attribute<'_>) -> Result<(), SinkError> {
        if self.is_full() {
            return Err(SinkError::Full { capacity: N });
        }
        self.0.push(attribute.to_key_value()?);
        Ok(())
    }
}

impl<const N: usize> Reset for FixedAttributes<N> {
    fn reset(&mut self) {
        self.clear();
    }
}

/// Returns 0.
impl<const N: usize> Footprint for FixedAttributes<N> {
    fn heap_bytes(&self) -> usize {
        0
    }
}

/// Yields the attributes in the order of the pushes.
impl<const N: usize> IntoIterator for FixedAttributes<N> {
    type Item = KeyValue;
    type IntoIter = FixedIntoIter<N>;

    fn into_iter(self) -> FixedIntoIter<N> {
        FixedIntoIter(self.0.into_iter())
    }
}

impl<'a, const N: usize> IntoIterator for &'a FixedAttributes<N> {
    type Item = &'a KeyValue;
    type IntoIter = std::slice::Iter<'a, KeyValue>;

    fn into_iter(self) -> Self::IntoIter {
        self.as_slice().iter()
    }
}
