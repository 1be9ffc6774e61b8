//! Many records in a row.

use super::{Part, SLACK, grow, sum};

/// The end of a buffer to which many short records are appended: kept beside the buffer, where a compiler holds it in
/// registers, so that the room for a record takes one comparison, and its end no store.
///
/// What was appended belongs to the buffer once [`finish`](Self::finish) is called; before, it is in spare capacity.
#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    buffer: &'a mut Vec<u8>,
    /// Where the next record begins: in the buffer's allocation, at its length or behind it, and initialised up to here.
    at: *mut u8,
    /// Where the allocation ends.
    end: *mut u8,
}

impl<'a> Cursor<'a> {
    /// The end of `buffer`.
    #[inline(always)]
    pub(crate) fn new(buffer: &'a mut Vec<u8>) -> Self {
        let (at, end) = spare(buffer);
        Self { buffer, at, end }
    }

    /// Appends `part`, as [`append`](super::append) does.
    #[inline(always)]
    pub(crate) fn append(&mut self, part: impl Part) {
        let most = sum(part.most(), SLACK);
        if self.end.addr() - self.at.addr() < most {
            self.commit();
            (self.at, self.end) = grown(self.buffer, most);
        }
        // SAFETY: `most` bytes are allocated behind `at`, as just checked, and nothing else refers to them.
        self.at = unsafe { part.put(self.at) };
    }

    /// Lets `write` append to the buffer itself.
    #[inline(always)]
    pub(crate) fn with<R>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        self.commit();
        let result = write(self.buffer);
        (self.at, self.end) = spare(self.buffer);
        result
    }

    /// Ends the row: everything that was appended belongs to the buffer.
    #[inline(always)]
    pub(crate) fn finish(mut self) {
        self.commit();
    }

    /// Sets the buffer's length to what is initialised.
    #[inline(always)]
    fn commit(&mut self) {
        // SAFETY: `at` lies in the buffer's allocation, at or behind its beginning.
        let length = unsafe { self.at.offset_from_unsigned(self.buffer.as_ptr()) };
        // SAFETY: `put` initialised every byte between the length so far and `at`, which lies within the capacity.
        unsafe { self.buffer.set_len(length) };
    }
}

/// Where the spare capacity begins, and where it ends.
#[inline(always)]
fn spare(buffer: &mut Vec<u8>) -> (*mut u8, *mut u8) {
    let spare = buffer.spare_capacity_mut().as_mut_ptr_range();
    (spare.start.cast(), spare.end.cast())
}

#[cold]
#[inline(never)]
fn grown(buffer: &mut Vec<u8>, most: usize) -> (*mut u8, *mut u8) {
    grow(buffer, most);
    spare(buffer)
}
