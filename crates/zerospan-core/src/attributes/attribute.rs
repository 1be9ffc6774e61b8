use crate::{AsAttributeValue, AttributeValue, UnsupportedValue};
use opentelemetry::KeyValue;

/// One attribute, borrowed: a key and a value.
///
/// A copy copies two references and does not allocate.
///
/// # Examples
///
/// ```
/// use zerospan_core::Attribute;
///
/// let route = String::from("/users/42");
/// let attribute = Attribute::new("http.route", &route);
/// assert_eq!(attribute.key, "http.route");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attribute<'a> {
    /// The attribute's name. The specification demands a non-empty one, which is not checked here.
    pub key: &'a str,
    /// The attribute's value.
    pub value: AttributeValue<'a>,
}

impl<'a> Attribute<'a> {
    /// Borrows a key and a value. Does not allocate.
    #[inline]
    pub fn new(key: &'a str, value: impl Into<AttributeValue<'a>>) -> Self {
        Self {
            key,
            value: value.into(),
        }
    }

    /// Copies the attribute into the API crate's owned form.
    ///
    /// Allocates once for the key, and what [`AttributeValue::to_value`] allocates for the value.
    ///
    /// # Errors
    ///
    /// [`UnsupportedValue`] if the value is [`AttributeValue::Unsupported`].
    pub fn to_key_value(&self) -> Result<KeyValue, UnsupportedValue> {
        Ok(KeyValue::new(self.key.to_owned(), self.value.to_value()?))
    }
}

impl<'a> From<&'a KeyValue> for Attribute<'a> {
    #[inline]
    fn from(attribute: &'a KeyValue) -> Self {
        Self {
            key: attribute.key.as_str(),
            value: AttributeValue::from(&attribute.value),
        }
    }
}

/// A type that can be borrowed as an attribute without allocation.
///
/// A slice of such a type is an [`AttributeSource`](crate::AttributeSource).
pub trait AsAttribute {
    /// Borrows `self` as an attribute. Does not allocate.
    fn as_attribute(&self) -> Attribute<'_>;
}

impl AsAttribute for KeyValue {
    #[inline]
    fn as_attribute(&self) -> Attribute<'_> {
        self.into()
    }
}

impl AsAttribute for Attribute<'_> {
    #[inline]
    fn as_attribute(&self) -> Attribute<'_> {
        *self
    }
}

impl<K: AsRef<str>, V: AsAttributeValue> AsAttribute for (K, V) {
    #[inline]
    fn as_attribute(&self) -> Attribute<'_> {
        Attribute {
            key: self.0.as_ref(),
            value: self.1.as_attribute_value(),
        }
    }
}

impl<T: AsAttribute + ?Sized> AsAttribute for &T {
    #[inline]
    fn as_attribute(&self) -> Attribute<'_> {
        (**self).as_attribute()
    }
}
