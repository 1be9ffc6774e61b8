//! Many short records in a row.

use super::append::{SPARE_CAPACITY, grow};
#[cfg(any(test, feature = "sdk"))]
use super::bytes::FieldStart;
use super::encode::{Encode, SLACK, sum};
#[cfg(any(test, feature = "sdk"))]
use super::length_prefix::{self, LengthPrefix};
#[cfg(any(test, feature = "sdk"))]
use std::ops::RangeInclusive;

/// The lengths whose varint has two bytes.
#[cfg(any(test, feature = "sdk"))]
const TWO_BYTES: RangeInclusive<usize> = 0x80..=0x3fff;

/// The end of a buffer to which many short records are appended.
///
/// The compiler keeps it in registers. So the check of the capacity is one comparison for each record, and the new end takes no
/// store. Appended bytes are in spare capacity and belong to the buffer only after [`finish`](Self::finish).
#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    buffer: &'a mut Vec<u8>,
    /// The beginning of the buffer.
    base: *mut u8,
    /// The beginning of the next record: in the buffer's allocation, at or after its length. Initialised up to here.
    pub(super) at: *mut u8,
    /// The last address with [`SPARE_CAPACITY`] bytes of the allocation after it. Lies before the buffer if there is none.
    limit: usize,
}

/// An open field, whose length is not known yet.
///
/// Each field is closed once, the last opened first. That is not checked: another order writes wrong bytes, but is sound.
#[cfg(any(test, feature = "sdk"))]
#[derive(Debug)]
#[must_use]
pub(crate) struct OpenField {
    tag_at: usize,
    is_long: bool,
}

impl<'a> Cursor<'a> {
    /// Creates a cursor at the end of `buffer`.
    #[inline(always)]
    pub(crate) fn new(buffer: &'a mut Vec<u8>) -> Self {
        let (base, at, limit) = locate(buffer);
        Self {
            buffer,
            base,
            at,
            limit,
        }
    }

    /// Appends `value`, as [`append`](super::append) does.
    #[inline(always)]
    pub(crate) fn append<T: Encode>(&mut self, value: T) {
        match T::MAX_LEN {
            Some(max_len) if max_len + SLACK <= SPARE_CAPACITY => self.reserve_spare(),
            _ => self.reserve(sum(value.max_len(), SLACK)),
        }
        // SAFETY: the largest length of the value and the slack are allocated after `at`, as just checked, and nothing else
        // refers to them.
        self.at = unsafe { value.encode(self.at) };
    }

    /// Starts the field `tag`, whose content begins with `first`. Everything appended until it is closed belongs to it.
    ///
    /// `is_long` is a guess that the content has 128 to 16,383 bytes. If the guess is wrong, the content is moved.
    #[cfg(any(test, feature = "sdk"))]
    #[inline(always)]
    pub(crate) fn open(&mut self, tag: u8, is_long: bool, first: impl Encode) -> OpenField {
        let tag_at = self.len();
        self.append((FieldStart::new(tag, is_long), first));
        OpenField { tag_at, is_long }
    }

    /// Ends a field: everything after its beginning belongs to it.
    ///
    /// # Panics
    ///
    /// Panics if the beginning of the field is no longer in the buffer.
    #[cfg(any(test, feature = "sdk"))]
    #[inline(always)]
    pub(crate) fn close(&mut self, field: OpenField) {
        let OpenField { tag_at, is_long } = field;
        // Wraps around to a huge number if the beginning is no longer there.
        let all = self.len().wrapping_sub(tag_at);
        if is_long {
            // Less the tag and two bytes.
            let length = all.wrapping_sub(3);
            if TWO_BYTES.contains(&length) {
                let two = [length as u8 | 0x80, (length >> 7) as u8];
                // SAFETY: `base` is the beginning of the buffer. For any `tag_at`, three bytes from there and `length` more are
                // the bytes appended so far, as just compared. So they are allocated and initialised.
                let place = unsafe { self.base.add(tag_at + 1) };
                // SAFETY: as above.
                return unsafe { place.cast::<[u8; 2]>().write(two) };
            }
        } else {
            // Less the tag and a byte.
            let length = all.wrapping_sub(2);
            if length < 0x80 {
                // SAFETY: `base` is the beginning of the buffer. For any `tag_at`, two bytes from there and `length` more are
                // the bytes appended so far, as just compared. So they are allocated and initialised.
                let place = unsafe { self.base.add(tag_at + 1) };
                // SAFETY: as above.
                return unsafe { place.write(length as u8) };
            }
        }
        self.with_buffer(|buffer| close_resized(buffer, tag_at, 1 + usize::from(is_long)));
    }

    /// Calls `write` with the buffer, which holds everything appended so far.
    #[inline(always)]
    pub(crate) fn with_buffer<R>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        self.commit();
        // Also when `write` panics: it may have reallocated the buffer.
        let cursor = LocateOnDrop(self);
        write(cursor.0.buffer)
    }

    /// Adds everything that was appended to the buffer's length.
    #[inline(always)]
    pub(crate) fn finish(mut self) {
        self.commit();
    }

    /// Returns `true` if there is room for [`SPARE_CAPACITY`] bytes.
    #[inline(always)]
    pub(super) fn has_spare(&self) -> bool {
        self.at.addr() <= self.limit
    }

    /// Reserves room for [`SPARE_CAPACITY`] bytes.
    #[inline(always)]
    fn reserve_spare(&mut self) {
        if !self.has_spare() {
            self.grow(SPARE_CAPACITY);
        }
    }

    /// Reserves room for `needed` bytes.
    #[inline(always)]
    fn reserve(&mut self, needed: usize) {
        if self.buffer.capacity() - self.len() < needed {
            self.grow(needed);
        }
    }

    #[inline(always)]
    fn grow(&mut self, needed: usize) {
        self.commit();
        (self.base, self.at, self.limit) = grow_and_locate(self.buffer, needed);
    }

    /// Returns the length of the buffer, appended bytes included.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        // SAFETY: `at` lies in the buffer's allocation, at or after its beginning.
        unsafe { self.at.offset_from_unsigned(self.base) }
    }

    /// Sets the length of the buffer to the initialised bytes.
    #[inline(always)]
    fn commit(&mut self) {
        let length = self.len();
        // SAFETY: `encode` initialised every byte between the old length and `at`, which lies within the capacity.
        unsafe { self.buffer.set_len(length) };
    }
}

/// Updates the cursor's pointers into its buffer when dropped.
struct LocateOnDrop<'c, 'a>(&'c mut Cursor<'a>);

impl Drop for LocateOnDrop<'_, '_> {
    #[inline(always)]
    fn drop(&mut self) {
        let cursor = &mut *self.0;
        (cursor.base, cursor.at, cursor.limit) = locate(cursor.buffer);
    }
}

/// Returns the beginning and the end of the buffer, and the last address with [`SPARE_CAPACITY`] bytes after it.
#[inline(always)]
fn locate(buffer: &mut Vec<u8>) -> (*mut u8, *mut u8, usize) {
    let (length, capacity) = (buffer.len(), buffer.capacity());
    let start = buffer.as_mut_ptr();
    // SAFETY: the vector's length is at most its capacity, so the pointer stays in its allocation or at the end of it.
    let at = unsafe { start.add(length) };
    let limit = (start.addr() + capacity).saturating_sub(SPARE_CAPACITY);
    (start, at, limit)
}

#[cold]
#[inline(never)]
fn grow_and_locate(buffer: &mut Vec<u8>, needed: usize) -> (*mut u8, *mut u8, usize) {
    grow(buffer, needed.max(SPARE_CAPACITY));
    locate(buffer)
}

/// Ends a field whose length does not take the `width` bytes that were reserved for it.
#[cfg(any(test, feature = "sdk"))]
#[cold]
#[inline(never)]
fn close_resized(buffer: &mut Vec<u8>, tag_at: usize, width: usize) {
    length_prefix::close(buffer, LengthPrefix::after_tag(tag_at, width));
}
