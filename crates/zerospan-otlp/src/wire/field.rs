//! Fields that are left out when they hold the default value. Each has a tag of one byte.

#[cfg(feature = "sdk")]
use super::bytes::ShortBytes;
use super::encode::Encode;
use super::varint::Varint;
use crate::protobuf::varint_len;

/// Encodes a text, which is left out if it is empty.
#[inline(always)]
pub(crate) fn text(tag: u8, text: &str) -> Option<impl Encode> {
    (!text.is_empty()).then_some(([tag], Varint(text.len() as u64), text.as_bytes()))
}

/// Encodes a text like [`text`]. Returns `None` if it is empty or its length takes more than one byte.
#[cfg(feature = "sdk")]
#[inline(always)]
pub(crate) fn short_text(tag: u8, text: &str) -> Option<impl Encode> {
    ShortBytes::non_empty(text.as_bytes()).map(|text| ([tag, text.len() as u8], text))
}

/// Encodes eight bytes, which are left out if they are 0.
#[inline(always)]
pub(crate) fn fixed64(tag: u8, value: u64) -> Option<([u8; 1], [u8; 8])> {
    (value != 0).then(|| ([tag], value.to_le_bytes()))
}

/// Encodes a count, which is left out if it is 0.
#[inline(always)]
pub(crate) fn count(tag: u8, count: u32) -> Option<([u8; 1], Varint)> {
    (count != 0).then(|| ([tag], Varint(count.into())))
}

/// Returns the length of [`count`].
#[inline(always)]
pub(crate) fn count_len(count: u32) -> usize {
    if count == 0 {
        0
    } else {
        1 + varint_len(count.into())
    }
}
