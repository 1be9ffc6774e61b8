//! Many records in a row.

use super::{Opening, Part, SLACK, SPARE_CAPACITY, grow, sum};
use crate::nested;
use std::ops::RangeInclusive;

/// The end of a buffer to which many short records are appended: kept beside the buffer, where a compiler holds it in
/// registers, so that the room for a record takes one comparison, and its end no store.
///
/// What was appended belongs to the buffer once [`finish`](Self::finish) is called; before, it is in spare capacity.
#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    buffer: &'a mut Vec<u8>,
    /// Where the buffer begins.
    base: *mut u8,
    /// Where the next record begins: in the buffer's allocation, at its length or behind it, and initialised up to here.
    pub(super) at: *mut u8,
    /// The last address with [`SPARE_CAPACITY`] bytes of the allocation from there on; one before the buffer where there is none.
    limit: usize,
}

/// A field that was opened, and whose length is not known yet.
///
/// Fields are closed in the order opposite to that in which they were opened, each once. Nobody checks: what is written is
/// wrong otherwise, while memory is safe.
#[derive(Debug)]
#[must_use]
pub(crate) struct Field {
    /// Where its tag stands.
    tag_at: usize,
    is_long: bool,
}

/// The lengths of which the varint has two bytes.
const TWO_BYTES: RangeInclusive<usize> = 0x80..=0x3fff;

impl<'a> Cursor<'a> {
    /// The end of `buffer`.
    #[inline(always)]
    pub(crate) fn new(buffer: &'a mut Vec<u8>) -> Self {
        let (base, at, limit) = spare(buffer);
        Self {
            buffer,
            base,
            at,
            limit,
        }
    }

    /// Appends `part`, as [`append`](super::append) does.
    #[inline(always)]
    pub(crate) fn append<P: Part>(&mut self, part: P) {
        match P::MOST {
            Some(most) if most + SLACK <= SPARE_CAPACITY => self.want_spare(),
            _ => self.want(sum(part.most(), SLACK)),
        }
        // SAFETY: what the part may write, and the slack, is allocated behind `at`, as just checked, and nothing else refers
        // to it.
        self.at = unsafe { part.put(self.at) };
    }

    /// Begins the field `tag`, whose content begins with `first`; what is appended next belongs to it, until it is closed.
    ///
    /// `is_long` guesses that the content has 128 bytes or more. Where it has not, or has not less than 16,384, it is moved.
    #[inline(always)]
    pub(crate) fn open(&mut self, tag: u8, is_long: bool, first: impl Part) -> Field {
        let tag_at = self.len();
        self.append((Opening::new(tag, is_long), first));
        Field { tag_at, is_long }
    }

    /// Ends a field: everything behind its beginning belongs to it.
    ///
    /// # Panics
    ///
    /// If its beginning was taken back.
    #[inline(always)]
    pub(crate) fn close(&mut self, field: Field) {
        let Field { tag_at, is_long } = field;
        // Where the beginning was taken back, a huge number.
        let all = self.len().wrapping_sub(tag_at);
        if is_long {
            // Less the tag and two bytes.
            let length = all.wrapping_sub(3);
            if TWO_BYTES.contains(&length) {
                let two = [length as u8 | 0x80, (length >> 7) as u8];
                // SAFETY: `base` is where the buffer is now. Whatever `tag_at` is, three bytes from there and `length` more are
                // what is appended so far, as just compared: so they are allocated and initialised.
                let place = unsafe { self.base.add(tag_at + 1) };
                // SAFETY: as above.
                return unsafe { place.cast::<[u8; 2]>().write(two) };
            }
        } else {
            // Less the tag and a byte.
            let length = all.wrapping_sub(2);
            if length < 0x80 {
                // SAFETY: `base` is where the buffer is now. Whatever `tag_at` is, two bytes from there and `length` more are
                // what is appended so far, as just compared: so they are allocated and initialised.
                let place = unsafe { self.base.add(tag_at + 1) };
                // SAFETY: as above.
                return unsafe { place.write(length as u8) };
            }
        }
        self.with(|buffer| resized(buffer, tag_at, 1 + usize::from(is_long)));
    }

    /// Lets `write` change the buffer itself.
    #[inline(always)]
    pub(crate) fn with<R>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        self.commit();
        // Also where `write` panics: the buffer may be somewhere else by then.
        let found_again = FoundAgain(self);
        write(found_again.0.buffer)
    }

    /// Ends the row: everything that was appended belongs to the buffer.
    #[inline(always)]
    pub(crate) fn finish(mut self) {
        self.commit();
    }

    /// Whether there is room for [`SPARE_CAPACITY`] bytes.
    #[inline(always)]
    pub(super) fn has_spare(&self) -> bool {
        self.at.addr() <= self.limit
    }

    /// Makes room for [`SPARE_CAPACITY`] bytes.
    #[inline(always)]
    fn want_spare(&mut self) {
        if !self.has_spare() {
            self.grow(SPARE_CAPACITY);
        }
    }

    /// Makes room for `most` bytes.
    #[inline(always)]
    fn want(&mut self, most: usize) {
        if self.buffer.capacity() - self.len() < most {
            self.grow(most);
        }
    }

    #[inline(always)]
    fn grow(&mut self, most: usize) {
        self.commit();
        (self.base, self.at, self.limit) = grown(self.buffer, most);
    }

    /// The buffer's length, what was appended included.
    #[inline(always)]
    fn len(&self) -> usize {
        // SAFETY: `at` lies in the buffer's allocation, at or behind its beginning.
        unsafe { self.at.offset_from_unsigned(self.base) }
    }

    /// Sets the buffer's length to what is initialised.
    #[inline(always)]
    fn commit(&mut self) {
        let length = self.len();
        // SAFETY: `put` initialised every byte between the length so far and `at`, which lies within the capacity.
        unsafe { self.buffer.set_len(length) };
    }
}

/// Has the cursor look where its buffer is, when this is dropped.
struct FoundAgain<'c, 'a>(&'c mut Cursor<'a>);

impl Drop for FoundAgain<'_, '_> {
    #[inline(always)]
    fn drop(&mut self) {
        let cursor = &mut *self.0;
        (cursor.base, cursor.at, cursor.limit) = spare(cursor.buffer);
    }
}

/// Where the buffer begins and ends, and the last address with [`SPARE_CAPACITY`] bytes behind it.
#[inline(always)]
fn spare(buffer: &mut Vec<u8>) -> (*mut u8, *mut u8, usize) {
    let (length, capacity) = (buffer.len(), buffer.capacity());
    let start = buffer.as_mut_ptr();
    // SAFETY: the vector's length is at most its capacity, so the pointer stays in or at the end of its allocation.
    let at = unsafe { start.add(length) };
    (
        start,
        at,
        (start.addr() + capacity).saturating_sub(SPARE_CAPACITY),
    )
}

#[cold]
#[inline(never)]
fn grown(buffer: &mut Vec<u8>, most: usize) -> (*mut u8, *mut u8, usize) {
    grow(buffer, most.max(SPARE_CAPACITY));
    spare(buffer)
}

/// Ends the field whose tag stands at `tag_at`, with `width` bytes for a length that does not take as many.
#[cold]
#[inline(never)]
fn resized(buffer: &mut Vec<u8>, tag_at: usize, width: usize) {
    nested::close(buffer, nested::Open::at(tag_at, width));
}
