//! What a record is made of.

use super::Part;
use super::copy::copy;
use crate::protobuf::varint_len;
use std::ptr;

// SAFETY: writes `N` bytes, no more.
unsafe impl<const N: usize> Part for [u8; N] {
    const MOST: Option<usize> = Some(N);

    #[inline(always)]
    fn most(&self) -> usize {
        N
    }

    #[inline(always)]
    unsafe fn put(self, at: *mut u8) -> *mut u8 {
        // SAFETY: the caller allows `N` bytes at `at`; an array of bytes has no alignment.
        unsafe { at.cast::<[u8; N]>().write(self) };
        // SAFETY: as above.
        unsafe { at.add(N) }
    }

    #[cfg(test)]
    fn plain(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self);
    }
}

// SAFETY: writes as many bytes as the slice has, no more.
unsafe impl Part for &[u8] {
    #[inline(always)]
    fn most(&self) -> usize {
        self.len()
    }

    #[inline(always)]
    unsafe fn put(self, at: *mut u8) -> *mut u8 {
        let (from, length) = (self.as_ptr(), self.len());
        // SAFETY: `from` is readable and `at` writable for `length` bytes, and they do not overlap: the one is borrowed, the
        // other is not.
        unsafe { copy(from, at, length) };
        // SAFETY: `length` bytes from `at` on are allocated.
        unsafe { at.add(length) }
    }

    #[cfg(test)]
    fn plain(self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
}

/// The most that key and value may have together in an attribute whose every length takes one byte: 127, less the tags and
/// lengths of key and value, and those of what is in the value.
pub(crate) const BOUND: usize = 127 - 6;

/// Bytes of which there are at most [`BOUND`], so that the most that a record may take is known when it is compiled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Short<'a>(&'a [u8]);

impl<'a> Short<'a> {
    /// Takes `bytes`, if there are no more than the bound.
    #[inline(always)]
    pub(crate) fn new(bytes: &'a [u8]) -> Option<Self> {
        (bytes.len() <= BOUND).then_some(Self(bytes))
    }

    /// Takes `bytes`, if there are some, and no more than the bound.
    #[cfg(feature = "sdk")]
    #[inline(always)]
    pub(crate) fn some(bytes: &'a [u8]) -> Option<Self> {
        // Of nothing, the difference is the largest number.
        (bytes.len().wrapping_sub(1) < BOUND).then_some(Self(bytes))
    }

    /// Takes both, if there is something in the first, and together no more than the bound.
    #[inline(always)]
    pub(crate) fn pair<'b>(one: &'a [u8], other: &'b [u8]) -> Option<(Self, Short<'b>)> {
        // Neither is longer than `isize::MAX`, so the sum does not overflow.
        let both = one.len() + other.len();
        (both <= BOUND && !one.is_empty()).then_some((Self(one), Short(other)))
    }

    #[inline(always)]
    pub(crate) fn len(self) -> u32 {
        self.0.len() as u32
    }
}

// SAFETY: writes as many bytes as the slice has, which every constructor holds to `BOUND`.
unsafe impl Part for Short<'_> {
    const MOST: Option<usize> = Some(BOUND);

    #[inline(always)]
    fn most(&self) -> usize {
        BOUND
    }

    #[inline(always)]
    unsafe fn put(self, at: *mut u8) -> *mut u8 {
        // SAFETY: the caller's promise covers `BOUND` bytes, which is no less than the slice has.
        unsafe { self.0.put(at) }
    }

    #[cfg(test)]
    fn plain(self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0);
    }
}

/// As many zeros, at most 10: room for a length that is not known yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Zeros(pub(crate) usize);

// SAFETY: stores 16 bytes, of which at most the first 10 count.
unsafe impl Part for Zeros {
    const MOST: Option<usize> = Some(10);

    #[inline(always)]
    fn most(&self) -> usize {
        10
    }

    #[inline(always)]
    unsafe fn put(self, at: *mut u8) -> *mut u8 {
        // SAFETY: the caller allows 10 bytes and the slack.
        unsafe { at.cast::<[u8; 16]>().write([0; 16]) };
        // SAFETY: 10 bytes are allowed.
        unsafe { at.add(self.0.min(10)) }
    }

    #[cfg(test)]
    fn plain(self, out: &mut Vec<u8>) {
        out.resize(out.len() + self.0.min(10), 0);
    }
}

/// A tag, then one zero or two: room for the length of a field that is not written yet.
#[cfg(any(test, feature = "sdk"))]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening {
    tag: u8,
    is_long: bool,
}

#[cfg(any(test, feature = "sdk"))]
impl Opening {
    #[inline(always)]
    pub(crate) fn new(tag: u8, is_long: bool) -> Self {
        Self { tag, is_long }
    }
}

#[cfg(any(test, feature = "sdk"))]
// SAFETY: stores 4 bytes, of which at most the first 3 count.
unsafe impl Part for Opening {
    const MOST: Option<usize> = Some(3);

    #[inline(always)]
    fn most(&self) -> usize {
        3
    }

    #[inline(always)]
    unsafe fn put(self, at: *mut u8) -> *mut u8 {
        // SAFETY: the caller allows 3 bytes and the slack.
        unsafe { at.cast::<[u8; 4]>().write([self.tag, 0, 0, 0]) };
        // SAFETY: 3 bytes are allowed.
        unsafe { at.add(2 + usize::from(self.is_long)) }
    }

    #[cfg(test)]
    fn plain(self, out: &mut Vec<u8>) {
        out.push(self.tag);
        out.resize(out.len() + 1 + usize::from(self.is_long), 0);
    }
}

/// The width of a [`Template`].
pub(crate) const TEMPLATE: usize = 64;

/// The first `length` bytes of an array, of which the first two are replaced: copied whole, since a copy of fixed width
/// takes no branch on the length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Template<'a> {
    bytes: &'a [u8; TEMPLATE],
    length: usize,
    head: [u8; 2],
}

impl<'a> Template<'a> {
    /// Takes the first `length` bytes of `bytes`: 2 at least, all of them at most.
    #[inline(always)]
    pub(crate) fn new(bytes: &'a [u8; TEMPLATE], length: usize, head: [u8; 2]) -> Self {
        debug_assert!((2..=TEMPLATE).contains(&length));
        Self {
            bytes,
            length: length.clamp(2, TEMPLATE),
            head,
        }
    }
}

// SAFETY: stores `TEMPLATE` bytes, of which the first `length`, at most `TEMPLATE`, count.
unsafe impl Part for Template<'_> {
    const MOST: Option<usize> = Some(TEMPLATE);

    #[inline(always)]
    fn most(&self) -> usize {
        TEMPLATE
    }

    #[inline(always)]
    unsafe fn put(self, at: *mut u8) -> *mut u8 {
        let from = self.bytes.as_ptr();
        // SAFETY: the array has 64 bytes, the caller allows as many, and the two do not overlap.
        unsafe { ptr::copy_nonoverlapping(from, at, TEMPLATE / 2) };
        if self.length > TEMPLATE / 2 {
            // SAFETY: the second half lies within the array.
            let from = unsafe { from.add(TEMPLATE / 2) };
            // SAFETY: as above.
            let at = unsafe { at.add(TEMPLATE / 2) };
            // SAFETY: as above.
            unsafe { ptr::copy_nonoverlapping(from, at, TEMPLATE / 2) };
        }
        // SAFETY: the caller allows more than two bytes.
        unsafe { at.cast::<[u8; 2]>().write(self.head) };
        // SAFETY: `length` is at most `TEMPLATE`.
        unsafe { at.add(self.length) }
    }

    #[cfg(test)]
    fn plain(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.head);
        out.extend_from_slice(&self.bytes[2..self.length]);
    }
}

/// The lowest `N` bytes of a number, at most 8, the lowest first.
#[cfg(any(test, feature = "sdk"))]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Low<const N: usize>(pub(crate) u64);

#[cfg(any(test, feature = "sdk"))]
// SAFETY: stores 8 bytes, of which the first `N`, at most 8, count.
unsafe impl<const N: usize> Part for Low<N> {
    const MOST: Option<usize> = Some(N);

    #[inline(always)]
    fn most(&self) -> usize {
        N
    }

    #[inline(always)]
    unsafe fn put(self, at: *mut u8) -> *mut u8 {
        const { assert!(N <= 8) };
        // SAFETY: the caller allows `N` bytes and the slack.
        unsafe { at.cast::<[u8; 8]>().write(self.0.to_le_bytes()) };
        // SAFETY: `N` bytes are allowed.
        unsafe { at.add(N) }
    }

    #[cfg(test)]
    fn plain(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_le_bytes()[..N]);
    }
}

/// A number as a shortest varint: 1 to 10 bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Varint(pub(crate) u64);

// SAFETY: stores 16 bytes from `at` on: 10 and less than `SLACK`; the first `varint_len` are the varint.
unsafe impl Part for Varint {
    const MOST: Option<usize> = Some(10);

    #[inline(always)]
    fn most(&self) -> usize {
        10
    }

    #[inline(always)]
    unsafe fn put(self, at: *mut u8) -> *mut u8 {
        if self.0 < 0x80 {
            // SAFETY: the caller allows 10 bytes.
            unsafe { at.write(self.0 as u8) };
            // SAFETY: as above.
            return unsafe { at.add(1) };
        }
        if self.0 < 0x4000 {
            let two = [self.0 as u8 | 0x80, (self.0 >> 7) as u8];
            // SAFETY: the caller allows 10 bytes.
            unsafe { at.cast::<[u8; 2]>().write(two) };
            // SAFETY: as above.
            return unsafe { at.add(2) };
        }
        let length = varint_len(self.0);
        // SAFETY: the caller allows 10 bytes and the slack.
        unsafe { at.cast::<[u8; 16]>().write(spread(self.0)) };
        // SAFETY: `length` is at most 10.
        unsafe { at.add(length) }
    }

    #[cfg(test)]
    fn plain(self, out: &mut Vec<u8>) {
        let mut left = self.0;
        while left >= 0x80 {
            out.push(left as u8 | 0x80);
            left >>= 7;
        }
        out.push(left as u8);
    }
}

/// The varint of `value` in its first `varint_len` bytes.
#[inline(always)]
fn spread(value: u64) -> [u8; 16] {
    let length = varint_len(value);
    // Seven bits into each byte of the low 56, by halves.
    let low = value & ((1 << 56) - 1);
    let low = (low & 0x0000_0000_0fff_ffff) | ((low & 0x00ff_ffff_f000_0000) << 4);
    let low = (low & 0x0000_3fff_0000_3fff) | ((low & 0x0fff_c000_0fff_c000) << 2);
    let low = (low & 0x007f_007f_007f_007f) | ((low & 0x3f80_3f80_3f80_3f80) << 1);
    let whole = u128::from(low)
        | (u128::from((value >> 56) & 0x7f) << 64)
        | (u128::from(value >> 63) << 72);
    // A continuation bit in every byte but the last.
    let more = 0x80_8080_8080_8080_8080_u128 & ((1 << (8 * (length - 1))) - 1);
    (whole | more).to_le_bytes()
}
