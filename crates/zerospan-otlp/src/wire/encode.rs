//! The trait of values that are written to a buffer, and its implementations for options and tuples.

/// The number of bytes beyond its own length up to which a value may store: the width of the widest store, less one, rounded
/// up.
pub(super) const SLACK: usize = 64;

/// Adds two lengths of data that is in memory at the same time.
///
/// On 64 bits the sum cannot overflow: an address has less than 58 bits and a record far fewer than 64 values, even if each
/// refers to the same memory. Elsewhere it may. Then no buffer has the room, and asking for it panics.
#[inline(always)]
pub(super) fn sum(one: usize, other: usize) -> usize {
    if cfg!(target_pointer_width = "64") {
        one.wrapping_add(other)
    } else {
        one.saturating_add(other)
    }
}

/// A value that is written to the end of a buffer.
///
/// # Safety
///
/// [`encode`](Self::encode) initialises every byte from its argument to its result, which lies at most
/// [`max_len`](Self::max_len) bytes further. It stores nothing more than [`SLACK`] bytes after the greatest possible position
/// of its result. [`MAX_LEN`](Self::MAX_LEN), if it is known, is what `max_len` returns for every value.
pub(crate) unsafe trait Encode: Copy {
    /// The result of [`max_len`](Self::max_len), if it is the same for every value.
    const MAX_LEN: Option<usize> = None;

    /// Returns an upper bound of the number of bytes that `encode` writes.
    fn max_len(&self) -> usize;

    /// Writes the value at `at` and returns the position after it.
    ///
    /// # Safety
    ///
    /// [`max_len`](Self::max_len) plus [`SLACK`] bytes from `at` on are allocated, writable and not borrowed.
    unsafe fn encode(self, at: *mut u8) -> *mut u8;

    /// Appends the value without unsafe code: the reference for tests.
    #[cfg(test)]
    fn encode_safe(self, out: &mut Vec<u8>);
}

// SAFETY: writes what its content writes, or nothing.
unsafe impl<T: Encode> Encode for Option<T> {
    const MAX_LEN: Option<usize> = T::MAX_LEN;

    #[inline(always)]
    fn max_len(&self) -> usize {
        match T::MAX_LEN {
            // Ignoring which variant it is costs nothing; looking costs a branch.
            Some(max_len) => max_len,
            None => self.map_or(0, |value| value.max_len()),
        }
    }

    #[inline(always)]
    unsafe fn encode(self, at: *mut u8) -> *mut u8 {
        match self {
            // SAFETY: the caller's guarantee covers the content.
            Some(value) => unsafe { value.encode(at) },
            None => at,
        }
    }

    #[cfg(test)]
    fn encode_safe(self, out: &mut Vec<u8>) {
        if let Some(value) = self {
            value.encode_safe(out);
        }
    }
}

/// Returns the sum, if all terms are known.
const fn sum_all(terms: &[Option<usize>]) -> Option<usize> {
    let mut total = 0;
    let mut index = 0;
    while index < terms.len() {
        match terms[index] {
            Some(term) => total += term,
            None => return None,
        }
        index += 1;
    }
    Some(total)
}

macro_rules! tuples {
    ($($($value:ident),+;)+) => {$(
        // SAFETY: each value is written after the one before it and ends at most its own `max_len` further. So the last ends at
        // most the sum further, and every store stays within the slack after that.
        unsafe impl<$($value: Encode),+> Encode for ($($value,)+) {
            const MAX_LEN: Option<usize> = sum_all(&[$($value::MAX_LEN),+]);

            #[inline(always)]
            #[allow(non_snake_case)]
            fn max_len(&self) -> usize {
                let ($($value,)+) = self;
                let mut max_len = 0;
                $(max_len = sum(max_len, $value.max_len());)+
                max_len
            }

            #[inline(always)]
            #[allow(non_snake_case)]
            unsafe fn encode(self, at: *mut u8) -> *mut u8 {
                let ($($value,)+) = self;
                // SAFETY: the caller allows the sum of what the values may write, and each begins where the last ended.
                $(let at = unsafe { $value.encode(at) };)+
                at
            }

            #[cfg(test)]
            #[allow(non_snake_case)]
            fn encode_safe(self, out: &mut Vec<u8>) {
                let ($($value,)+) = self;
                $($value.encode_safe(out);)+
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
