use crate::UnsupportedValue;
use opentelemetry::{Array, StringValue, Value};
use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

/// The value of an attribute, borrowed: every kind that OpenTelemetry 0.33 has, and bytes, which OTLP has.
///
/// A copy copies at most a reference and a length and does not allocate.
///
/// A kind that a later version of the API crate adds is [`Unsupported`](Self::Unsupported) until this enum has a variant
/// for it. Treat a variant that you do not know as [`Unsupported`](Self::Unsupported).
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AttributeValue<'a> {
    /// A boolean.
    Bool(bool),
    /// A signed 64-bit integer.
    I64(i64),
    /// A 64-bit floating point number.
    F64(f64),
    /// A string.
    Str(&'a str),
    /// An array of booleans.
    BoolArray(&'a [bool]),
    /// An array of signed 64-bit integers.
    I64Array(&'a [i64]),
    /// An array of 64-bit floating point numbers.
    F64Array(&'a [f64]),
    /// An array of strings.
    StrArray(StrArray<'a>),
    /// Bytes. The API crate has no such kind: of the sinks of this family, only OTLP's takes them.
    Bytes(&'a [u8]),
    /// An unknown kind: sinks reject it, and readers count it as dropped.
    Unsupported,
}

impl AttributeValue<'_> {
    /// Copies the value into the API crate's owned form.
    ///
    /// Does not allocate for numbers and booleans; allocates once for a non-empty string, once for an array, and once
    /// for each non-empty string in the array.
    ///
    /// # Errors
    ///
    /// [`UnsupportedValue`] if the value is [`Unsupported`](Self::Unsupported) or [`Bytes`](Self::Bytes).
    pub fn to_value(&self) -> Result<Value, UnsupportedValue> {
        Ok(match *self {
            Self::Bool(value) => Value::Bool(value),
            Self::I64(value) => Value::I64(value),
            Self::F64(value) => Value::F64(value),
            Self::Str(value) => Value::String(value.to_owned().into()),
            Self::BoolArray(values) => Value::Array(Array::Bool(values.to_vec())),
            Self::I64Array(values) => Value::Array(Array::I64(values.to_vec())),
            Self::F64Array(values) => Value::Array(Array::F64(values.to_vec())),
            Self::StrArray(values) => Value::Array(Array::String(
                values.iter().map(|value| value.to_owned().into()).collect(),
            )),
            Self::Bytes(_) | Self::Unsupported => return Err(UnsupportedValue),
        })
    }
}

/// A borrowed array of strings: of `&str`, `String` or the API crate's `StringValue`.
///
/// # Examples
///
/// ```
/// use zerospan_core::StrArray;
///
/// let hosts = ["a.example", "b.example"];
/// assert!(StrArray::from(&hosts[..]).iter().eq(hosts));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct StrArray<'a>(Strings<'a>);

#[derive(Clone, Copy, Debug)]
enum Strings<'a> {
    Borrowed(&'a [&'a str]),
    Owned(&'a [String]),
    Api(&'a [StringValue]),
}

impl<'a> StrArray<'a> {
    /// Returns the number of strings.
    #[inline]
    pub fn len(&self) -> usize {
        match self.0 {
            Strings::Borrowed(strings) => strings.len(),
            Strings::Owned(strings) => strings.len(),
            Strings::Api(strings) => strings.len(),
        }
    }

    /// Returns `true` if there are no strings.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the string at `index`, counted from 0.
    #[inline]
    pub fn get(&self, index: usize) -> Option<&'a str> {
        match self.0 {
            Strings::Borrowed(strings) => strings.get(index).copied(),
            Strings::Owned(strings) => strings.get(index).map(String::as_str),
            Strings::Api(strings) => strings.get(index).map(StringValue::as_str),
        }
    }

    /// Iterates over the strings in order. Does not allocate.
    #[inline]
    pub fn iter(&self) -> StrArrayIter<'a> {
        StrArrayIter {
            strings: *self,
            next: 0,
        }
    }
}

impl PartialEq for StrArray<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for StrArray<'_> {}

impl<'a> From<&'a [&'a str]> for StrArray<'a> {
    #[inline]
    fn from(strings: &'a [&'a str]) -> Self {
        Self(Strings::Borrowed(strings))
    }
}

impl<'a> From<&'a [String]> for StrArray<'a> {
    #[inline]
    fn from(strings: &'a [String]) -> Self {
        Self(Strings::Owned(strings))
    }
}

impl<'a> From<&'a [StringValue]> for StrArray<'a> {
    #[inline]
    fn from(strings: &'a [StringValue]) -> Self {
        Self(Strings::Api(strings))
    }
}

impl<'a> IntoIterator for StrArray<'a> {
    type Item = &'a str;
    type IntoIter = StrArrayIter<'a>;

    #[inline]
    fn into_iter(self) -> StrArrayIter<'a> {
        self.iter()
    }
}

/// Iterates over the strings of a [`StrArray`].
#[derive(Clone, Debug)]
pub struct StrArrayIter<'a> {
    strings: StrArray<'a>,
    next: usize,
}

impl<'a> Iterator for StrArrayIter<'a> {
    type Item = &'a str;

    #[inline]
    fn next(&mut self) -> Option<&'a str> {
        let string = self.strings.get(self.next)?;
        self.next += 1;
        Some(string)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.strings.len() - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for StrArrayIter<'_> {}

/// A type that can be borrowed as an attribute value without allocation.
///
/// Implemented for the kinds of [`AttributeValue`], for the types that own one (`String`, `Vec<i64>`, the API crate's
/// [`Value`]), and for smaller integers and `f32`, which widen without loss. Not implemented for `u64` and `usize`: the
/// specification's integers are signed, so that a value above `i64::MAX` has no lossless form. Convert such a value
/// yourself.
pub trait AsAttributeValue {
    /// Borrows `self` as a value. Does not allocate.
    fn as_attribute_value(&self) -> AttributeValue<'_>;
}

impl AsAttributeValue for AttributeValue<'_> {
    #[inline]
    fn as_attribute_value(&self) -> AttributeValue<'_> {
        *self
    }
}

impl AsAttributeValue for str {
    #[inline]
    fn as_attribute_value(&self) -> AttributeValue<'_> {
        AttributeValue::Str(self)
    }
}

impl AsAttributeValue for Value {
    #[inline]
    fn as_attribute_value(&self) -> AttributeValue<'_> {
        match self {
            Value::Bool(value) => AttributeValue::Bool(*value),
            Value::I64(value) => AttributeValue::I64(*value),
            Value::F64(value) => AttributeValue::F64(*value),
            Value::String(value) => AttributeValue::Str(value.as_str()),
            Value::Array(values) => values.as_attribute_value(),
            // `Value` is `#[non_exhaustive]`.
            _ => AttributeValue::Unsupported,
        }
    }
}

impl AsAttributeValue for Array {
    #[inline]
    fn as_attribute_value(&self) -> AttributeValue<'_> {
        match self {
            Array::Bool(values) => AttributeValue::BoolArray(values),
            Array::I64(values) => AttributeValue::I64Array(values),
            Array::F64(values) => AttributeValue::F64Array(values),
            Array::String(values) => AttributeValue::StrArray(values.as_slice().into()),
            // `Array` is `#[non_exhaustive]`.
            _ => AttributeValue::Unsupported,
        }
    }
}

macro_rules! scalars {
    ($($variant:ident: $($scalar:ty),+;)+) => {$($(
        impl AsAttributeValue for $scalar {
            #[inline]
            fn as_attribute_value(&self) -> AttributeValue<'_> {
                AttributeValue::$variant((*self).into())
            }
        }

        impl From<$scalar> for AttributeValue<'_> {
            #[inline]
            fn from(value: $scalar) -> Self {
                AttributeValue::$variant(value.into())
            }
        }
    )+)+};
}

scalars! {
    Bool: bool;
    I64: i8, i16, i32, i64, u8, u16, u32;
    F64: f32, f64;
}

macro_rules! strings {
    ($($string:ty),+) => {$(
        impl AsAttributeValue for $string {
            #[inline]
            fn as_attribute_value(&self) -> AttributeValue<'_> {
                let value: &str = self.as_ref();
                AttributeValue::Str(value)
            }
        }
    )+};
}

strings!(
    String,
    StringValue,
    Box<str>,
    Arc<str>,
    Rc<str>,
    Cow<'_, str>
);

macro_rules! slices {
    ($($variant:ident: $($element:ty),+;)+) => {$($(
        impl AsAttributeValue for [$element] {
            #[inline]
            fn as_attribute_value(&self) -> AttributeValue<'_> {
                AttributeValue::$variant(self.into())
            }
        }

        impl<const N: usize> AsAttributeValue for [$element; N] {
            #[inline]
            fn as_attribute_value(&self) -> AttributeValue<'_> {
                self.as_slice().as_attribute_value()
            }
        }

        impl AsAttributeValue for Vec<$element> {
            #[inline]
            fn as_attribute_value(&self) -> AttributeValue<'_> {
                self.as_slice().as_attribute_value()
            }
        }
    )+)+};
}

slices! {
    BoolArray: bool;
    I64Array: i64;
    F64Array: f64;
    StrArray: &str, String, StringValue;
}

impl<T: AsAttributeValue + ?Sized> AsAttributeValue for &T {
    #[inline]
    fn as_attribute_value(&self) -> AttributeValue<'_> {
        (**self).as_attribute_value()
    }
}

impl<'a, T: AsAttributeValue + ?Sized> From<&'a T> for AttributeValue<'a> {
    #[inline]
    fn from(value: &'a T) -> Self {
        value.as_attribute_value()
    }
}

impl<'a> From<StrArray<'a>> for AttributeValue<'a> {
    #[inline]
    fn from(values: StrArray<'a>) -> Self {
        Self::StrArray(values)
    }
}
