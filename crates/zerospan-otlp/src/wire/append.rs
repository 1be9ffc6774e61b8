use super::encode::{Encode, SLACK, sum};

/// The capacity that a buffer needs beyond the bytes that are written to it, so that a writer does not grow it.
///
/// Writers store whole words, and reserve the largest length that a number may take.
pub const SPARE_CAPACITY: usize = 512;

/// Appends `value` to `buffer`.
///
/// Allocates only if the buffer has less room than the value may take, plus [`SLACK`].
#[inline(always)]
pub(crate) fn append(buffer: &mut Vec<u8>, value: impl Encode) {
    let needed = sum(value.max_len(), SLACK);
    let length = buffer.len();
    if buffer.capacity() - length < needed {
        grow(buffer, needed);
    }
    // SAFETY: the vector's length is at most its capacity, so the pointer stays in its allocation or at the end of it.
    let start = unsafe { buffer.as_mut_ptr().add(length) };
    // SAFETY: `needed` bytes are allocated after `start`, as just checked, and nothing else refers to them.
    let end = unsafe { value.encode(start) };
    // SAFETY: both point into the vector's allocation, and `encode` never moves back.
    let written = unsafe { end.offset_from_unsigned(start) };
    debug_assert!(written + SLACK <= needed);
    // SAFETY: `encode` initialised the bytes from `start` to `end`, which lie within the capacity.
    unsafe { buffer.set_len(length + written) };
}

/// Reserves room for `length` bytes in any number of records. Allocates at most once.
#[inline]
pub(crate) fn reserve(buffer: &mut Vec<u8>, length: usize) {
    let needed = length.saturating_add(SPARE_CAPACITY);
    if buffer.capacity() - buffer.len() < needed {
        grow(buffer, needed);
    }
}

/// Grows the buffer by [`SPARE_CAPACITY`] bytes more than `needed`, so that the record after a long one does not double it.
#[cold]
#[inline(never)]
pub(super) fn grow(buffer: &mut Vec<u8>, needed: usize) {
    buffer.reserve(needed.saturating_add(SPARE_CAPACITY));
}
