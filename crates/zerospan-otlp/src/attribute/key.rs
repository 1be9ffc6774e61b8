use super::key_hash::hash;
use crate::protobuf::schema::key_value::tag::KEY;
use crate::wire::{Encode, MAX_SHORT_LEN, ShortBytes};

/// The length of the attribute's tag and length and of the key's tag and length.
pub(super) const HEAD_LEN: usize = 4;

/// The attribute's length, less key and text, if the value is a text.
pub(super) const TEXT_OVERHEAD: u32 = 6;
/// The attribute's length, less key and value, if the value is a number or a boolean.
pub(super) const SCALAR_OVERHEAD: u32 = 5;
/// The length of the longest number.
pub(super) const MAX_SCALAR_LEN: usize = 10;

/// A key as the encoder takes it: a text, or a text with its hash or its encoded form.
pub(crate) trait Key: Copy {
    /// The attribute's tag and length, and the whole field of the key.
    type Field: Encode;

    fn as_str(&self) -> &str;

    fn hash(&self) -> u32;

    /// Returns the key's field and the text, if every length takes one byte.
    fn with_text<'t>(self, tag: u8, text: &'t [u8]) -> Option<(Self::Field, ShortBytes<'t>)>;

    /// Returns the key's field in an attribute with a value of `length` bytes, if every length takes one byte.
    ///
    /// `length` is at most 10 and does not include the tag in the value.
    fn with_scalar(self, tag: u8, length: usize) -> Option<Self::Field>;
}

/// A key that is known at run time, with its hash. Hashing a constant costs nothing.
#[derive(Clone, Copy, Debug)]
pub struct HashedKey<'a> {
    hash: u32,
    key: &'a str,
}

impl<'a> HashedKey<'a> {
    /// Hashes `key`. Inlined, so that the compiler hashes constants.
    #[inline(always)]
    pub const fn new(key: &'a str) -> Self {
        Self {
            hash: hash(key.as_bytes()),
            key,
        }
    }

    /// Takes a key whose hash is known.
    #[inline(always)]
    pub(super) const fn from_parts(hash: u32, key: &'a str) -> Self {
        Self { hash, key }
    }

    /// Returns the key.
    #[inline]
    pub const fn as_str(&self) -> &'a str {
        self.key
    }
}

impl<'a> From<&'a str> for HashedKey<'a> {
    #[inline(always)]
    fn from(key: &'a str) -> Self {
        Self::new(key)
    }
}

impl<'a> Key for HashedKey<'a> {
    type Field = <&'a str as Key>::Field;

    #[inline(always)]
    fn as_str(&self) -> &str {
        self.key
    }

    #[inline(always)]
    fn hash(&self) -> u32 {
        self.hash
    }

    #[inline(always)]
    fn with_text<'t>(self, tag: u8, text: &'t [u8]) -> Option<(Self::Field, ShortBytes<'t>)> {
        self.key.with_text(tag, text)
    }

    #[inline(always)]
    fn with_scalar(self, tag: u8, length: usize) -> Option<Self::Field> {
        self.key.with_scalar(tag, length)
    }
}

impl<'a> Key for &'a str {
    type Field = ([u8; HEAD_LEN], ShortBytes<'a>);

    #[inline(always)]
    fn as_str(&self) -> &str {
        self
    }

    #[inline(always)]
    fn hash(&self) -> u32 {
        hash(self.as_bytes())
    }

    #[inline(always)]
    fn with_text<'t>(self, tag: u8, text: &'t [u8]) -> Option<(Self::Field, ShortBytes<'t>)> {
        let (key, text) = ShortBytes::pair(self.as_bytes(), text)?;
        let length = key.len() + text.len() + TEXT_OVERHEAD;
        Some(((head(tag, length, key.len()), key), text))
    }

    #[inline(always)]
    fn with_scalar(self, tag: u8, length: usize) -> Option<Self::Field> {
        let key = ShortBytes::new(self.as_bytes())?;
        let length = key.len() + length as u32 + SCALAR_OVERHEAD;
        let fits = !self.is_empty() && self.len() <= MAX_SHORT_LEN - MAX_SCALAR_LEN;
        fits.then_some((head(tag, length, key.len()), key))
    }
}

/// Returns the attribute's tag and length and the key's tag and length, of which each takes one byte.
#[inline(always)]
fn head(tag: u8, length: u32, key_len: u32) -> [u8; HEAD_LEN] {
    const KEY_HEAD: u32 = u32::from_le_bytes([0, 0, KEY, 0]);
    // Sums, since no byte overflows into the next: the compiler makes two steps of them instead of ten.
    (u32::from(tag) + (length << 8) + KEY_HEAD + (key_len << 24)).to_le_bytes()
}
