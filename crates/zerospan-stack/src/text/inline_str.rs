use crate::error::InlineError;
use crate::text::pieces::{Sealed, Text, TextError};
use crate::text::write::{TruncatingWriter, rollback};
use arrayvec::ArrayString;
use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use zerospan_core::{AsAttributeValue, AttributeValue, Footprint, Reset};

/// A string of up to `N` bytes, stored inline: formatted text without heap allocation.
///
/// It is a value of borrowed sets (`[(&str, InlineStr)]` is an [`AttributeSource`](zerospan_core::AttributeSource)) and a
/// [`fmt::Write`]. Moving it copies `N` bytes: choose `N` for the expected text.
///
/// # Examples
///
/// ```
/// use zerospan_core::AttributeSource;
/// use zerospan_stack::{InlineError, InlineStr};
///
/// # fn main() -> Result<(), InlineError> {
/// let route = InlineStr::<32>::try_from_text(("/users/", 42))?;
/// let attributes = [("http.route", route)];
/// attributes.for_each(|attribute| assert_eq!(attribute.value, "/users/42".into()));
///
/// let mut short = InlineStr::<8>::new();
/// assert_eq!(
///     short.try_push("/users/42"),
///     Err(InlineError::TextFull { remaining: 8, capacity: 8 }),
/// );
/// assert_eq!(short.push_truncated("/users/42")?, 1, "omitted bytes");
/// assert_eq!(short, *"/users/4");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InlineStr<const N: usize>(ArrayString<N>);

impl<const N: usize> InlineStr<N> {
    /// Builds an empty string with room for `N` bytes. Does not allocate.
    #[inline]
    pub fn new() -> Self {
        Self(ArrayString::new())
    }

    /// Builds a string from `text`. Does not allocate.
    ///
    /// # Errors
    ///
    /// [`InlineError::TextFull`] if `text` exceeds `N` bytes, [`InlineError::Format`] if a `Display` in it fails.
    #[inline]
    pub fn try_from_text(text: impl Text) -> Result<Self, InlineError> {
        let mut string = Self::new();
        string.try_push(text)?;
        Ok(string)
    }

    /// Appends the whole of `text`, or nothing. Does not allocate.
    ///
    /// # Errors
    ///
    /// [`InlineError::TextFull`] if it does not fit, [`InlineError::Format`] if a `Display` in it fails. The string is
    /// unchanged.
    #[inline]
    pub fn try_push(&mut self, text: impl Text) -> Result<(), InlineError> {
        let before = self.0.len();
        text.write_to(&mut self.0)
            .map_err(|error| rollback(&mut self.0, before, error))
    }

    /// Appends the whole characters of `text` that fit, and returns the number of omitted bytes. Does not allocate.
    ///
    /// Omits everything after the first character that does not fit.
    ///
    /// # Errors
    ///
    /// [`InlineError::Format`] if a `Display` in `text` fails. The string is unchanged.
    #[must_use = "a truncated value differs from the original: record how much is missing"]
    pub fn push_truncated(&mut self, text: impl Text) -> Result<usize, InlineError> {
        let before = self.0.len();
        let mut writer = TruncatingWriter::new(&mut self.0);
        let result = text.write_to(&mut writer);
        let omitted = writer.omitted();
        result
            .map(|()| omitted)
            .map_err(|error| rollback(&mut self.0, before, error))
    }

    /// Returns the text.
    #[inline]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the maximum number of bytes: `N`.
    #[inline]
    pub const fn capacity(&self) -> usize {
        N
    }

    /// Removes the text.
    #[inline]
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl<const N: usize> Deref for InlineStr<N> {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl<const N: usize> AsRef<str> for InlineStr<N> {
    #[inline]
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl<const N: usize> Borrow<str> for InlineStr<N> {
    #[inline]
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl<const N: usize> PartialEq<str> for InlineStr<N> {
    #[inline]
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl<const N: usize> fmt::Debug for InlineStr<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl<const N: usize> fmt::Display for InlineStr<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

/// Writes each piece as a whole, and fails at the first that does not fit; the pieces before it stay.
/// [`try_push`](InlineStr::try_push) writes all or nothing.
impl<const N: usize> fmt::Write for InlineStr<N> {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write_str(text)
    }
}

impl<const N: usize> Sealed for InlineStr<N> {}
impl<const N: usize> Text for InlineStr<N> {
    #[inline]
    fn write_to<W: fmt::Write>(&self, out: &mut W) -> Result<(), TextError> {
        self.as_str().write_to(out)
    }
}

impl<const N: usize> AsAttributeValue for InlineStr<N> {
    #[inline]
    fn as_attribute_value(&self) -> AttributeValue<'_> {
        AttributeValue::Str(self)
    }
}

impl<const N: usize> Reset for InlineStr<N> {
    fn reset(&mut self) {
        self.clear();
    }
}

/// Returns 0.
impl<const N: usize> Footprint for InlineStr<N> {
    fn heap_bytes(&self) -> usize {
        0
    }
}
