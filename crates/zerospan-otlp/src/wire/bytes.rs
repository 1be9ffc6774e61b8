//! Bytes as values to encode: of fixed width, of bounded length, of any length.

use super::copy::copy;
use super::encode::Encode;
use std::ptr;

// SAFETY: writes `N` bytes and stores no more.
unsafe impl<const N: usize> Encode for [u8; N] {
    const MAX_LEN: Option<usize> = Some(N);

    #[inline(always)]
    fn max_len(&self) -> usize {
        N
    }

    #[inline(always)]
    unsafe fn encode(self, at: *mut u8) -> *mut u8 {
        // SAFETY: the caller allows `N` bytes at `at`; an array of bytes has no alignment.
        unsafe { at.cast::<[u8; N]>().write(self) };
        // SAFETY: as above.
        unsafe { at.add(N) }
    }

    #[cfg(test)]
    fn encode_safe(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self);
    }
}

// SAFETY: writes the bytes of the slice and stores no more.
unsafe impl Encode for &[u8] {
    #[inline(always)]
    fn max_len(&self) -> usize {
        self.len()
    }

    #[inline(always)]
    unsafe fn encode(self, at: *mut u8) -> *mut u8 {
        let (from, length) = (self.as_ptr(), self.len());
        // SAFETY: `from` is readable and `at` writable for `length` bytes. They do not overlap, because the slice is borrowed and
        // the bytes at `at` are not.
        unsafe { copy(from, at, length) };
        // SAFETY: `length` bytes from `at` on are allocated.
        unsafe { at.add(length) }
    }

    #[cfg(test)]
    fn encode_safe(self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
}

/// The largest length of key and text together in an attribute in which every length takes one byte: 127, less the tags and
/// lengths of the key, of the value, and of the text in the value.
pub(crate) const MAX_SHORT_LEN: usize = 127 - 6;

/// At most [`MAX_SHORT_LEN`] bytes, so that the largest length of a record is known at compile time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShortBytes<'a>(&'a [u8]);

impl<'a> ShortBytes<'a> {
    /// Takes `bytes` if they are within the bound.
    #[inline(always)]
    pub(crate) fn new(bytes: &'a [u8]) -> Option<Self> {
        (bytes.len() <= MAX_SHORT_LEN).then_some(Self(bytes))
    }

    /// Takes `bytes` if they are not empty and within the bound.
    #[inline(always)]
    pub(crate) fn non_empty(bytes: &'a [u8]) -> Option<Self> {
        // The difference wraps around for an empty slice.
        (bytes.len().wrapping_sub(1) < MAX_SHORT_LEN).then_some(Self(bytes))
    }

    /// Takes both if the first is not empty and their sum is within the bound.
    #[inline(always)]
    pub(crate) fn pair<'b>(one: &'a [u8], other: &'b [u8]) -> Option<(Self, ShortBytes<'b>)> {
        // Neither is longer than `isize::MAX`, so the sum does not overflow.
        let both = one.len() + other.len();
        (both <= MAX_SHORT_LEN && !one.is_empty()).then_some((Self(one), ShortBytes(other)))
    }

    #[inline(always)]
    pub(crate) fn len(self) -> u32 {
        self.0.len() as u32
    }
}

// SAFETY: writes the bytes of the slice, at most `MAX_SHORT_LEN` as every constructor checks.
unsafe impl Encode for ShortBytes<'_> {
    const MAX_LEN: Option<usize> = Some(MAX_SHORT_LEN);

    #[inline(always)]
    fn max_len(&self) -> usize {
        MAX_SHORT_LEN
    }

    #[inline(always)]
    unsafe fn encode(self, at: *mut u8) -> *mut u8 {
        // SAFETY: the caller allows `MAX_SHORT_LEN` bytes, and the slice has no more.
        unsafe { self.0.encode(at) }
    }

    #[cfg(test)]
    fn encode_safe(self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0);
    }
}

/// Up to 10 zeros: room for a length that is not known yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Zeros(pub(crate) usize);

// SAFETY: stores 16 bytes, of which at most the first 10 count.
unsafe impl Encode for Zeros {
    const MAX_LEN: Option<usize> = Some(10);

    #[inline(always)]
    fn max_len(&self) -> usize {
        10
    }

    #[inline(always)]
    unsafe fn encode(self, at: *mut u8) -> *mut u8 {
        // SAFETY: the caller allows 10 bytes and the slack.
        unsafe { at.cast::<[u8; 16]>().write([0; 16]) };
        // SAFETY: 10 bytes are allowed.
        unsafe { at.add(self.0.min(10)) }
    }

    #[cfg(test)]
    fn encode_safe(self, out: &mut Vec<u8>) {
        out.resize(out.len() + self.0.min(10), 0);
    }
}

/// The tag of a field and one or two zeros: room for a length that is not known yet.
#[cfg(any(test, feature = "sdk"))]
#[derive(Clone, Copy, Debug)]
pub(crate) struct FieldStart {
    tag: u8,
    is_long: bool,
}

#[cfg(any(test, feature = "sdk"))]
impl FieldStart {
    #[inline(always)]
    pub(crate) fn new(tag: u8, is_long: bool) -> Self {
        Self { tag, is_long }
    }
}

#[cfg(any(test, feature = "sdk"))]
// SAFETY: stores 4 bytes, of which at most the first 3 count.
unsafe impl Encode for FieldStart {
    const MAX_LEN: Option<usize> = Some(3);

    #[inline(always)]
    fn max_len(&self) -> usize {
        3
    }

    #[inline(always)]
    unsafe fn encode(self, at: *mut u8) -> *mut u8 {
        // SAFETY: the caller allows 3 bytes and the slack.
        unsafe { at.cast::<[u8; 4]>().write([self.tag, 0, 0, 0]) };
        // SAFETY: 3 bytes are allowed.
        unsafe { at.add(2 + usize::from(self.is_long)) }
    }

    #[cfg(test)]
    fn encode_safe(self, out: &mut Vec<u8>) {
        out.push(self.tag);
        out.resize(out.len() + 1 + usize::from(self.is_long), 0);
    }
}

/// The width of the array of a [`Template`].
pub(crate) const TEMPLATE_LEN: usize = 64;

/// The first bytes of an array, with the first two replaced.
///
/// The array is copied by halves, since a copy of fixed width does not branch on the length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Template<'a> {
    bytes: &'a [u8; TEMPLATE_LEN],
    length: usize,
    head: [u8; 2],
}

impl<'a> Template<'a> {
    /// Takes the first `length` bytes of `bytes`, which is at least 2, and replaces the first two by `head`.
    #[inline(always)]
    pub(crate) fn new(bytes: &'a [u8; TEMPLATE_LEN], length: usize, head: [u8; 2]) -> Self {
        debug_assert!((2..=TEMPLATE_LEN).contains(&length));
        Self {
            bytes,
            length: length.clamp(2, TEMPLATE_LEN),
            head,
        }
    }
}

// SAFETY: stores `TEMPLATE_LEN` bytes, of which the first `length`, at most `TEMPLATE_LEN`, count.
unsafe impl Encode for Template<'_> {
    const MAX_LEN: Option<usize> = Some(TEMPLATE_LEN);

    #[inline(always)]
    fn max_len(&self) -> usize {
        TEMPLATE_LEN
    }

    #[inline(always)]
    unsafe fn encode(self, at: *mut u8) -> *mut u8 {
        let from = self.bytes.as_ptr();
        // SAFETY: the array has `TEMPLATE_LEN` bytes, the caller allows as many, and the two do not overlap.
        unsafe { ptr::copy_nonoverlapping(from, at, TEMPLATE_LEN / 2) };
        if self.length > TEMPLATE_LEN / 2 {
            // SAFETY: the second half lies within the array.
            let from = unsafe { from.add(TEMPLATE_LEN / 2) };
            // SAFETY: as above.
            let at = unsafe { at.add(TEMPLATE_LEN / 2) };
            // SAFETY: as above.
            unsafe { ptr::copy_nonoverlapping(from, at, TEMPLATE_LEN / 2) };
        }
        // SAFETY: the caller allows `TEMPLATE_LEN` bytes.
        unsafe { at.cast::<[u8; 2]>().write(self.head) };
        // SAFETY: `length` is at most `TEMPLATE_LEN`.
        unsafe { at.add(self.length) }
    }

    #[cfg(test)]
    fn encode_safe(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.head);
        out.extend_from_slice(&self.bytes[2..self.length]);
    }
}

/// The lowest `N` bytes of a number in little-endian order. `N` is at most 8.
#[cfg(any(test, feature = "sdk"))]
#[derive(Clone, Copy, Debug)]
pub(crate) struct LowBytes<const N: usize>(pub(crate) u64);

#[cfg(any(test, feature = "sdk"))]
// SAFETY: stores 8 bytes, of which the first `N`, at most 8, count.
unsafe impl<const N: usize> Encode for LowBytes<N> {
    const MAX_LEN: Option<usize> = Some(N);

    #[inline(always)]
    fn max_len(&self) -> usize {
        N
    }

    #[inline(always)]
    unsafe fn encode(self, at: *mut u8) -> *mut u8 {
        const { assert!(N <= 8) };
        // SAFETY: the caller allows `N` bytes and the slack.
        unsafe { at.cast::<[u8; 8]>().write(self.0.to_le_bytes()) };
        // SAFETY: `N` bytes are allowed.
        unsafe { at.add(N) }
    }

    #[cfg(test)]
    fn encode_safe(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_le_bytes()[..N]);
    }
}
