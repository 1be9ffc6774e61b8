use super::encoding::OneEncoding;
use std::fmt;
use zerospan_core::{AsAttributeValue, Attribute, AttributeSource, AttributeValue, EncodingCache};

/// A set of attributes that is known at compile time, for a `static`. Does not allocate.
///
/// The set stores its encoding, so that it is encoded once in the life of the process. A duplicate key is a compile
/// error. `V` is any kind of value, such as `&str`; for values of several kinds use the default, [`AttributeValue`].
///
/// # Examples
///
/// ```
/// use zerospan_attributes::StaticAttributes;
/// use zerospan_core::{AttributeSource, AttributeValue};
///
/// static DATABASE: StaticAttributes = StaticAttributes::new(&[
///     ("db.system.name", AttributeValue::Str("postgresql")),
///     ("server.port", AttributeValue::I64(5432)),
/// ]);
/// assert_eq!(DATABASE.len(), 2);
/// ```
///
/// A duplicate key does not compile:
///
/// ```compile_fail,E0080
/// use zerospan_attributes::StaticAttributes;
///
/// static DUPLICATE: StaticAttributes<&str> = StaticAttributes::new(&[("a", "1"), ("b", "2"), ("a", "3")]);
/// ```
pub struct StaticAttributes<V: 'static = AttributeValue<'static>> {
    attributes: &'static [(&'static str, V)],
    encoding: OneEncoding,
}

impl<V: AsAttributeValue + 'static> StaticAttributes<V> {
    /// Builds a set. Does not allocate.
    ///
    /// # Panics
    ///
    /// If a key occurs twice; in a `static` or a `const` that is a compile error. Compares every pair of keys: for sets from
    /// outside use [`SharedAttributes`](crate::SharedAttributes).
    pub const fn new(attributes: &'static [(&'static str, V)]) -> Self {
        let mut later = 0;
        while later < attributes.len() {
            let mut earlier = 0;
            while earlier < later {
                assert!(
                    !same(attributes[earlier].0, attributes[later].0),
                    "a key occurs twice: remove one of the two attributes"
                );
                earlier += 1;
            }
            later += 1;
        }
        Self {
            attributes,
            encoding: OneEncoding::new(),
        }
    }

    /// Returns the attributes, in order.
    #[inline]
    pub const fn as_slice(&self) -> &'static [(&'static str, V)] {
        self.attributes
    }
}

/// Compares strings in a `const` context, where `==` is not available.
const fn same(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len() != right.len() {
        return false;
    }
    let mut at = 0;
    while at < left.len() {
        if left[at] != right[at] {
            return false;
        }
        at += 1;
    }
    true
}

impl<V: fmt::Debug> fmt::Debug for StaticAttributes<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let attributes = self.attributes.iter().map(|(key, value)| (key, value));
        f.debug_map().entries(attributes).finish()
    }
}

impl<V: AsAttributeValue + 'static> AttributeSource for StaticAttributes<V> {
    #[inline]
    fn len(&self) -> usize {
        self.attributes.len()
    }

    #[inline]
    fn for_each<'a>(&'a self, visit: impl FnMut(Attribute<'a>)) {
        AttributeSource::for_each(self.attributes, visit);
    }

    #[inline]
    fn encoding_cache(&self) -> Option<&dyn EncodingCache> {
        Some(&self.encoding)
    }
}
