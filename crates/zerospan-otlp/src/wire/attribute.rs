//! Attributes in which every length takes one byte.

use super::append::SPARE_CAPACITY;
use super::bytes::{LowBytes, MAX_SHORT_LEN};
use super::copy::{copy, copy_value};
use super::cursor::Cursor;
use super::encode::{Encode, SLACK};
use super::varint::Varint;
use crate::protobuf::schema::any_value::tag::{BOOL, DOUBLE, INT, STRING};
use crate::protobuf::schema::key_value::tag::{KEY, VALUE};
use crate::protobuf::varint_len;

/// The tag and length of the attribute and those of its key. Also the tag and length of a value and those of a text in it.
const HEAD_LEN: usize = 4;
/// The longest number, with its tag and with the tag and length of the value.
const MAX_NUMBER_LEN: usize = 13;
/// The longest key with which every length takes one byte, for any number as the value.
const MAX_KEY_LEN: usize = 127 - 2 - MAX_NUMBER_LEN;

// An attribute and the bytes that may be stored after it are within the spare capacity.
const _: () = assert!(HEAD_LEN + MAX_SHORT_LEN + HEAD_LEN + SLACK <= SPARE_CAPACITY);
const _: () = assert!(HEAD_LEN + MAX_KEY_LEN + MAX_NUMBER_LEN + SLACK <= SPARE_CAPACITY);

// Heads as little-endian numbers. Lengths are added: no byte overflows into the next.

/// An attribute with a key.
const KEY_HEAD: u32 = u32::from_le_bytes([0, 0, KEY, 0]);
/// An attribute with a key and a text: its length includes the tags and lengths of key, value and text.
const KEY_AND_TEXT_HEAD: u32 = u32::from_le_bytes([0, 6, KEY, 0]);
/// A value that is a text.
const TEXT_HEAD: u32 = u32::from_le_bytes([VALUE, 2, STRING, 0]);
/// A value that is a boolean, of one byte.
const BOOL_HEAD: u32 = u32::from_le_bytes([VALUE, 2, BOOL, 0]);
/// A value that is an integer of one byte.
const SHORT_INT_HEAD: u32 = u32::from_le_bytes([VALUE, 2, INT, 0]);
/// A value that is an integer of two bytes.
const TWO_BYTE_INT_HEAD: u32 = u32::from_le_bytes([VALUE, 3, INT, 0]);

impl<'a> Cursor<'a> {
    /// Appends an attribute with a text, as the field `tag`.
    ///
    /// Appends nothing and returns `false` if the key is empty (it is then left out), if a length takes more than one byte, or
    /// if there is no room for [`SPARE_CAPACITY`] bytes.
    #[inline(always)]
    #[must_use]
    pub(crate) fn append_text_attribute(&mut self, tag: u8, key: &[u8], text: &[u8]) -> bool {
        // Neither is longer than `isize::MAX`, so the sum does not overflow.
        let both = key.len() + text.len();
        if key.is_empty() || !self.has_spare() || both > MAX_SHORT_LEN {
            return false;
        }
        // SAFETY: `SPARE_CAPACITY` bytes are allocated after the cursor, and the key has at most `MAX_SHORT_LEN`.
        let before = unsafe { self.write_key(key) };
        let head = TEXT_HEAD + text.len() as u32 * 0x0100_0100;
        // SAFETY: `SPARE_CAPACITY` bytes are allocated after the cursor, which is at most `MAX_SHORT_LEN` bytes before.
        let at = unsafe { before.add(HEAD_LEN) };
        // SAFETY: as above.
        unsafe { at.cast::<[u8; HEAD_LEN]>().write(head.to_le_bytes()) };
        // SAFETY: as above, and `2 * HEAD_LEN + MAX_SHORT_LEN` is less than `SPARE_CAPACITY`.
        let at = unsafe { before.add(2 * HEAD_LEN) };
        // SAFETY: key and text have at most `MAX_SHORT_LEN` bytes together, so they and both heads are within the
        // `SPARE_CAPACITY` bytes. The text is borrowed, the bytes after the cursor are not.
        unsafe { copy_value(text.as_ptr(), at, text.len()) };
        let head =
            u32::from(tag) + KEY_AND_TEXT_HEAD + ((both as u32) << 8) + ((key.len() as u32) << 24);
        // SAFETY: `SPARE_CAPACITY` bytes are allocated after the cursor.
        unsafe { self.at.cast::<[u8; HEAD_LEN]>().write(head.to_le_bytes()) };
        // SAFETY: key and text and their heads end here.
        self.at = unsafe { before.add(2 * HEAD_LEN + text.len()) };
        true
    }

    /// Begins an attribute with a number or a boolean, as the field `tag`. Nothing is appended before it has a value.
    ///
    /// Returns `None` if the key is empty (it is then left out) or too long, or if there is no room for [`SPARE_CAPACITY`]
    /// bytes.
    #[inline(always)]
    pub(crate) fn begin_attribute(
        &mut self,
        tag: u8,
        key: &[u8],
    ) -> Option<PendingAttribute<'_, 'a>> {
        // The difference wraps around for an empty key.
        if key.len().wrapping_sub(1) >= MAX_KEY_LEN || !self.has_spare() {
            return None;
        }
        // SAFETY: `SPARE_CAPACITY` bytes are allocated after the cursor, and the key has at most `MAX_KEY_LEN`.
        let before = unsafe { self.write_key(key) };
        // SAFETY: as above.
        let at = unsafe { before.add(HEAD_LEN) };
        Some(PendingAttribute {
            cursor: self,
            at,
            head: u32::from(tag) + KEY_HEAD + key.len() as u32 * 0x0100_0100,
        })
    }

    /// Copies the key to its place in an attribute. Returns its end, less [`HEAD_LEN`], so that what follows is a constant
    /// distance away.
    ///
    /// # Safety
    ///
    /// [`HEAD_LEN`] bytes and those of the key are allocated after the cursor.
    #[inline(always)]
    unsafe fn write_key(&mut self, key: &[u8]) -> *mut u8 {
        // SAFETY: the caller guarantees it.
        let at = unsafe { self.at.add(HEAD_LEN) };
        // SAFETY: the caller guarantees the room. The key is borrowed, the bytes after the cursor are not.
        unsafe { copy(key.as_ptr(), at, key.len()) };
        // SAFETY: the caller guarantees it.
        unsafe { self.at.add(key.len()) }
    }
}

/// An attribute whose key is in spare capacity and whose value is missing.
pub(crate) struct PendingAttribute<'c, 'a> {
    cursor: &'c mut Cursor<'a>,
    /// The end of the key: at most [`HEAD_LEN`] and [`MAX_KEY_LEN`] bytes after the cursor.
    at: *mut u8,
    /// The attribute's tag, the key's length, the key's tag and its length again.
    head: u32,
}

impl PendingAttribute<'_, '_> {
    /// Appends the attribute with a boolean.
    #[inline(always)]
    pub(crate) fn finish_bool(self, value: bool) {
        let head = u64::from(BOOL_HEAD);
        self.finish(4, LowBytes::<4>(head + (u64::from(value) << 24)));
    }

    /// Appends the attribute with an integer.
    #[inline(always)]
    pub(crate) fn finish_int(self, value: i64) {
        let value = value as u64;
        if value < 0x80 {
            let head = u64::from(SHORT_INT_HEAD);
            self.finish(4, LowBytes::<4>(head + (value << 24)));
        } else if value < 0x4000 {
            // The bits above the lowest seven move by one, which is the same as adding them once more.
            let two_bytes = value + (value & 0x3f80) + 0x80;
            let head = u64::from(TWO_BYTE_INT_HEAD);
            self.finish(5, LowBytes::<5>(head + (two_bytes << 24)));
        } else {
            let length = varint_len(value) as u32;
            let head = [VALUE, 1 + length as u8, INT];
            self.finish(3 + length, (head, Varint(value)));
        }
    }

    /// Appends the attribute with a floating point number.
    #[inline(always)]
    pub(crate) fn finish_double(self, value: f64) {
        self.finish(11, ([VALUE, 9, DOUBLE], value.to_le_bytes()));
    }

    /// Appends the attribute with `value`, which has `length` bytes.
    #[inline(always)]
    fn finish<T: Encode>(self, length: u32, value: T) {
        const { assert!(matches!(T::MAX_LEN, Some(max_len) if max_len <= MAX_NUMBER_LEN)) };
        // SAFETY: `SPARE_CAPACITY` bytes are allocated after the cursor, which has been borrowed since that was checked and is at
        // most `HEAD_LEN + MAX_KEY_LEN` bytes before. The value takes at most `MAX_NUMBER_LEN`. With the slack, all that is
        // within `SPARE_CAPACITY`.
        let end = unsafe { value.encode(self.at) };
        let start = self.cursor.at;
        let head = self.head + ((2 + length) << 8);
        // SAFETY: `HEAD_LEN` bytes are allocated after the cursor, as `begin_attribute` checked.
        unsafe { start.cast::<[u8; HEAD_LEN]>().write(head.to_le_bytes()) };
        self.cursor.at = end;
    }
}
