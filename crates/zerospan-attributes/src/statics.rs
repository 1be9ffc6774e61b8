use crate::encoding::OneEncoding;
use std::fmt;
use zerospan_core::{AsAttributeValue, Attribute, AttributeSource, AttributeValue, EncodingCache};

/// Attributes that are known when the program is compiled: nothing is allocated, then or later.
///
/// For a `static`: it keeps the bytes that an encoder made of it, so it is encoded once in the life of the process. That a
/// key stands twice is an error when the program is compiled. `V` is any kind of value, such as `&str`; for values of
/// several kinds it is [`AttributeValue`], which the type takes by default.
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
/// A key that stands twice does not compile:
///
/// ```compile_fail,E0080
/// use zerospan_attributes::StaticAttributes;
///
/// static TWICE: StaticAttributes<&str> = StaticAttributes::new(&[("a", "1"), ("b", "2"), ("a", "3")]);
/// ```
pub struct StaticAttributes<V: 'static = AttributeValue<'static>> {
    attributes: &'static [(&'static str, V)],
    encoding: OneEncoding,
}

impl<V: AsAttributeValue + 'static> StaticAttributes<V> {
    /// Takes the attributes. Does not allocate.
    ///
    /// # Panics
    ///
    /// If a key stands twice: in a `static` or a `const` that is an error of compilation. Every pair of keys is compared, so
    /// this is not for sets that come from outside; [`SharedAttributes`](crate::SharedAttributes) is.
    pub const fn new(attributes: &'static [(&'static str, V)]) -> Self {
        let mut later = 0;
        while later < attributes.len() {
            let mut earlier = 0;
            while earlier < later {
                assert!(
                    !same(attributes[earlier].0, attributes[later].0),
                    "a key stands twice: remove one of the two"
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

    /// The attributes, in order.
    #[inline]
    pub const fn as_slice(&self) -> &'static [(&'static str, V)] {
        self.attributes
    }
}

/// `==` on strings is not `const`.
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
