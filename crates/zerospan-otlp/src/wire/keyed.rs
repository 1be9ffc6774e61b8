//! Attributes of which every length takes one byte.

use super::copy::{copy, copy_value};
use super::parts::Low;
use super::{BOUND, Cursor, Part, SLACK, SPARE_CAPACITY, Varint};
use crate::protobuf::varint_len;

/// The attribute's tag and length, the key's tag and length; and those of a value and of the text in it.
const HEAD: usize = 4;
/// The longest number, with its kind's tag and the value's tag and length.
const NUMBER: usize = 13;
/// The longest key in front of which every length takes one byte, whatever number is behind it.
const MOST_KEY: usize = 127 - 2 - NUMBER;

// What an attribute takes, and what may be stored behind it.
const _: () = assert!(HEAD + BOUND + HEAD + SLACK <= SPARE_CAPACITY);
const _: () = assert!(HEAD + MOST_KEY + NUMBER + SLACK <= SPARE_CAPACITY);

/// Attributes, in the field `tag` each.
impl<'a> Cursor<'a> {
    /// Appends an attribute with a text, or nothing and returns `false`: if the key is empty, and so left out, if a length
    /// takes more than one byte, or if there are not [`SPARE_CAPACITY`] bytes of room.
    #[inline(always)]
    #[must_use]
    pub(crate) fn text_attribute(&mut self, tag: u8, key: &[u8], text: &[u8]) -> bool {
        // Neither is longer than `isize::MAX`, so the sum does not overflow.
        let both = key.len() + text.len();
        if key.is_empty() || !self.has_spare() || both > BOUND {
            return false;
        }
        // SAFETY: `SPARE_CAPACITY` bytes are allocated behind the cursor, and the key has at most `BOUND`.
        let before = unsafe { self.put_key(key) };
        // Sums, since no byte overflows into the next.
        let head = 0x000a_0212 + text.len() as u32 * 0x0100_0100;
        // SAFETY: `SPARE_CAPACITY` bytes are allocated behind the cursor, which is at most `BOUND` before.
        let at = unsafe { before.add(HEAD) };
        // SAFETY: as above.
        unsafe { at.cast::<[u8; HEAD]>().write(head.to_le_bytes()) };
        // SAFETY: as above, and `2 * HEAD + BOUND` is less than `SPARE_CAPACITY`.
        let at = unsafe { before.add(2 * HEAD) };
        // SAFETY: key and text have at most `BOUND` bytes together, so that both heads and they are within the `SPARE_CAPACITY` bytes; the
        // text is borrowed, what is behind the cursor is not.
        unsafe { copy_value(text.as_ptr(), at, text.len()) };
        let head = u32::from(tag) + 0x000a_0600 + ((both as u32) << 8) + ((key.len() as u32) << 24);
        // SAFETY: `SPARE_CAPACITY` bytes are allocated behind the cursor.
        unsafe { self.at.cast::<[u8; HEAD]>().write(head.to_le_bytes()) };
        // SAFETY: key and text, and what is before each, end here.
        self.at = unsafe { before.add(2 * HEAD + text.len()) };
        true
    }

    /// Begins an attribute with a number or a flag. Nothing is appended before there is a value.
    ///
    /// `None` if the key is empty, and so left out, or too long, or if there are not [`SPARE_CAPACITY`] bytes of room.
    #[inline(always)]
    pub(crate) fn key(&mut self, tag: u8, key: &[u8]) -> Option<Keyed<'_, 'a>> {
        // Of nothing, the difference is the largest number.
        if key.len().wrapping_sub(1) >= MOST_KEY || !self.has_spare() {
            return None;
        }
        // SAFETY: `SPARE_CAPACITY` bytes are allocated behind the cursor, and the key has at most `MOST_KEY`.
        let before = unsafe { self.put_key(key) };
        // SAFETY: as above.
        let at = unsafe { before.add(HEAD) };
        Some(Keyed {
            cursor: self,
            at,
            // A sum, since no byte overflows into the next.
            head: u32::from(tag) + 0x000a_0000 + key.len() as u32 * 0x0100_0100,
        })
    }

    /// Copies the key to where it stands in an attribute, and returns where it ends, less [`HEAD`]: so that what follows is
    /// a constant away.
    ///
    /// # Safety
    ///
    /// [`HEAD`] bytes and those of the key are allocated behind the cursor.
    #[inline(always)]
    unsafe fn put_key(&mut self, key: &[u8]) -> *mut u8 {
        // SAFETY: the caller's promise.
        let at = unsafe { self.at.add(HEAD) };
        // SAFETY: the caller's promise; the key is borrowed, what is behind the cursor is not.
        unsafe { copy(key.as_ptr(), at, key.len()) };
        // SAFETY: the caller's promise.
        unsafe { self.at.add(key.len()) }
    }
}

/// An attribute whose key stands in spare capacity, and that waits for its value.
pub(crate) struct Keyed<'c, 'a> {
    cursor: &'c mut Cursor<'a>,
    /// Behind the key, which is at most [`MOST_KEY`] bytes and [`HEAD`] behind the cursor.
    at: *mut u8,
    /// The attribute's tag, the key's length, its tag and its length again.
    head: u32,
}

impl Keyed<'_, '_> {
    /// Ends the attribute with a flag.
    #[inline(always)]
    pub(crate) fn boolean(self, flag: bool) {
        self.value(4, Low::<4>(0x0010_0212 + (u64::from(flag) << 24)));
    }

    /// Ends the attribute with a number.
    #[inline(always)]
    pub(crate) fn integer(self, number: i64) {
        let number = number as u64;
        if number < 0x80 {
            self.value(4, Low::<4>(0x0018_0212 + (number << 24)));
        } else if number < 0x4000 {
            // What is above seven bits moves on by one, which is to add it once more.
            let two = number + (number & 0x3f80) + 0x80;
            self.value(5, Low::<5>(0x0018_0312 + (two << 24)));
        } else {
            let length = varint_len(number) as u32;
            let head = [0x12, 1 + length as u8, 0x18];
            self.value(3 + length, (head, Varint(number)));
        }
    }

    /// Ends the attribute with a number.
    #[inline(always)]
    pub(crate) fn double(self, number: f64) {
        self.value(11, ([0x12, 9, 0x21], number.to_le_bytes()));
    }

    /// Appends the attribute with `value`, which has `length` bytes.
    #[inline(always)]
    fn value<P: Part>(self, length: u32, value: P) {
        const { assert!(matches!(P::MOST, Some(most) if most <= NUMBER)) };
        // SAFETY: `SPARE_CAPACITY` bytes are allocated behind the cursor, which was borrowed ever since that was checked, and is at most
        // `HEAD + MOST_KEY` before; the value takes at most `NUMBER`, and with the slack all that is within `SPARE_CAPACITY`.
        let end = unsafe { value.put(self.at) };
        let start = self.cursor.at;
        let head = self.head + ((2 + length) << 8);
        // SAFETY: `HEAD` bytes are allocated behind the cursor, as `key` checked.
        unsafe { start.cast::<[u8; HEAD]>().write(head.to_le_bytes()) };
        self.cursor.at = end;
    }
}
