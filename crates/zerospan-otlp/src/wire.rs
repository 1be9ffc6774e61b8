//! Bytes at the end of a buffer: one capacity check a record, then wide stores.
//!
//! The only module with `unsafe`. A record is a [`Part`], mostly a tuple of parts; [`append`] asks for the most that all of
//! them may write, once, and each then writes without asking again. What may be written beyond a part's own length is
//! bounded by [`SLACK`], and overwritten by the next part or left in spare capacity, which safe code cannot read.
#![allow(unsafe_code)]

mod copy;
#[cfg(any(test, feature = "sdk"))]
mod cursor;
#[cfg(any(test, feature = "sdk"))]
mod keyed;
mod parts;
#[cfg(test)]
mod tests;

#[cfg(any(test, feature = "sdk"))]
pub(crate) use cursor::Cursor;
#[cfg(any(test, feature = "sdk"))]
pub(crate) use keyed::Keyed;
#[cfg(any(test, feature = "sdk"))]
pub(crate) use parts::Opening;
pub(crate) use parts::{BOUND, Short, TEMPLATE, Template, Varint, Zeros};

/// The sum of two lengths of what is in memory at once.
///
/// On 64 bits it cannot overflow: an address has less than 58 bits, a record far fewer than 64 parts, even if each of them names
/// the same memory. Elsewhere it may; then no buffer has the room, and asking for it panics.
#[inline(always)]
fn sum(one: usize, other: usize) -> usize {
    if cfg!(target_pointer_width = "64") {
        one.wrapping_add(other)
    } else {
        one.saturating_add(other)
    }
}

/// How far beyond its own length a part may store: the width of the widest store, less one, rounded up.
const SLACK: usize = 64;

/// The room that a writer wants beyond the bytes that it writes, so that it need not allocate: it stores whole words, and
/// asks for the most that a number may take.
pub const SPARE_CAPACITY: usize = 512;

/// Appends `part` to `buffer`.
///
/// Allocates only where the buffer has less room than the most that the part may take, and [`SLACK`].
#[inline(always)]
pub(crate) fn append(buffer: &mut Vec<u8>, part: impl Part) {
    let most = sum(part.most(), SLACK);
    let length = buffer.len();
    if buffer.capacity() - length < most {
        grow(buffer, most);
    }
    // SAFETY: the vector's length is at most its capacity, so the pointer stays in or at the end of its allocation.
    let start = unsafe { buffer.as_mut_ptr().add(length) };
    // SAFETY: `most` bytes are allocated behind `start`, as just checked, and nothing else refers to them.
    let end = unsafe { part.put(start) };
    // SAFETY: both point into the vector's allocation, and `put` advances.
    let written = unsafe { end.offset_from_unsigned(start) };
    debug_assert!(written + SLACK <= most);
    // SAFETY: `put` initialised the bytes from `start` to `end`, which lie within the capacity.
    unsafe { buffer.set_len(length + written) };
}

/// Makes room for `most` bytes to be appended, in as many records as need be, at the price of one allocation at most.
#[inline]
pub(crate) fn make_room(buffer: &mut Vec<u8>, most: usize) {
    let most = most.saturating_add(SPARE_CAPACITY);
    if buffer.capacity() - buffer.len() < most {
        grow(buffer, most);
    }
}

/// With [`SPARE_CAPACITY`] bytes besides, so that what follows a long record does not have the buffer double once more.
#[cold]
#[inline(never)]
fn grow(buffer: &mut Vec<u8>, most: usize) {
    buffer.reserve(most.saturating_add(SPARE_CAPACITY));
}

/// Something that is written to the end of a buffer.
///
/// # Safety
///
/// [`put`](Self::put) initialises every byte from its argument to its result, which lies at most [`most`](Self::most) bytes
/// further, and stores nothing beyond [`SLACK`] bytes after its result's greatest possible position. [`MOST`](Self::MOST), if it
/// is known, is what `most` gives for every value.
pub(crate) unsafe trait Part: Copy {
    /// [`most`](Self::most), where it is the same for every value.
    const MOST: Option<usize> = None;

    /// No fewer than the bytes that `put` writes.
    fn most(&self) -> usize;

    /// Writes the part at `at` and returns where it ends.
    ///
    /// # Safety
    ///
    /// [`most`](Self::most) and [`SLACK`] bytes from `at` on are allocated, writable and not borrowed.
    unsafe fn put(self, at: *mut u8) -> *mut u8;

    /// The safe twin of `put`: what the fast way is held against.
    #[cfg(test)]
    fn plain(self, out: &mut Vec<u8>);
}

// SAFETY: as its content, or nothing.
unsafe impl<P: Part> Part for Option<P> {
    const MOST: Option<usize> = P::MOST;

    #[inline(always)]
    fn most(&self) -> usize {
        match P::MOST {
            // Not asking which it is costs nothing, asking costs a branch.
            Some(most) => most,
            None => self.map_or(0, |part| part.most()),
        }
    }

    #[inline(always)]
    unsafe fn put(self, at: *mut u8) -> *mut u8 {
        match self {
            // SAFETY: the caller's promise is that of the content.
            Some(part) => unsafe { part.put(at) },
            None => at,
        }
    }

    #[cfg(test)]
    fn plain(self, out: &mut Vec<u8>) {
        if let Some(part) = self {
            part.plain(out);
        }
    }
}

/// The sum of all, if all are known.
const fn sum_of_all(all: &[Option<usize>]) -> Option<usize> {
    let mut total = 0;
    let mut index = 0;
    while index < all.len() {
        match all[index] {
            Some(most) => total += most,
            None => return None,
        }
        index += 1;
    }
    Some(total)
}

macro_rules! tuples {
    ($($($part:ident),+;)+) => {$(
        // SAFETY: each part writes behind the one before it, at most its own `most` further; so the last ends at most the
        // sum further, and every store stays within the slack behind that.
        unsafe impl<$($part: Part),+> Part for ($($part,)+) {
            const MOST: Option<usize> = sum_of_all(&[$($part::MOST),+]);

            #[inline(always)]
            #[allow(non_snake_case)]
            fn most(&self) -> usize {
                let ($($part,)+) = self;
                let mut most = 0;
                $(most = sum(most, $part.most());)+
                most
            }

            #[inline(always)]
            #[allow(non_snake_case)]
            unsafe fn put(self, at: *mut u8) -> *mut u8 {
                let ($($part,)+) = self;
                // SAFETY: the caller allows the sum of what the parts may write, and each begins where the last ended.
                $(let at = unsafe { $part.put(at) };)+
                at
            }

            #[cfg(test)]
            #[allow(non_snake_case)]
            fn plain(self, out: &mut Vec<u8>) {
                let ($($part,)+) = self;
                $($part.plain(out);)+
            }
        }
    )+};
}

tuples! {
    A, B;
    A, B, C;
    A, B, C, D;
    A, B, C, D, E;
    A, B, C, D, E, F;
    A, B, C, D, E, F, G;
    A, B, C, D, E, F, G, H;
    A, B, C, D, E, F, G, H, I;
    A, B, C, D, E, F, G, H, I, J;
}
