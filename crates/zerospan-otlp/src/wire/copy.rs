//! Short copies without a call.

use std::ptr;

/// Copies short data, as most keys and values are, by overlapping blocks and without a call.
///
/// # Safety
///
/// `from` is readable and `to` writable for `length` bytes, and the two do not overlap.
#[inline(always)]
pub(super) unsafe fn copy(from: *const u8, to: *mut u8, length: usize) {
    if length >= 16 {
        // SAFETY: guaranteed by the caller, and `length` is at least 16.
        unsafe { copy_long(from, to, length) };
    } else if length >= 8 {
        // SAFETY: guaranteed by the caller, and `length` is at least 8.
        unsafe { ends::<u64>(from, to, length) };
    } else {
        // SAFETY: guaranteed by the caller, and `length` is less than 8.
        unsafe { copy_few(from, to, length) };
    }
}

/// Copies like [`copy`], with one comparison less for lengths below 8, as most values have, and one more above 16.
///
/// # Safety
///
/// The same as for [`copy`].
#[cfg(any(test, feature = "sdk"))]
#[inline(always)]
pub(super) unsafe fn copy_value(from: *const u8, to: *mut u8, length: usize) {
    if length < 8 {
        // SAFETY: guaranteed by the caller, and `length` is less than 8.
        unsafe { copy_few(from, to, length) };
    } else if length <= 16 {
        // SAFETY: guaranteed by the caller, and `length` is at least 8.
        unsafe { ends::<u64>(from, to, length) };
    } else {
        // SAFETY: guaranteed by the caller, and `length` is at least 16.
        unsafe { copy_long(from, to, length) };
    }
}

/// Copies like [`copy`], for 16 bytes and more.
///
/// # Safety
///
/// The same as for [`copy`], and `length` is at least 16.
#[inline(always)]
unsafe fn copy_long(from: *const u8, to: *mut u8, length: usize) {
    if length <= 32 {
        // SAFETY: guaranteed by the caller.
        unsafe { ends::<u128>(from, to, length) };
    } else if length <= 64 {
        // SAFETY: guaranteed by the caller, and `length` is at least 32.
        unsafe { ends::<(u128, u128)>(from, to, length) };
    } else {
        // SAFETY: guaranteed by the caller.
        unsafe { ptr::copy_nonoverlapping(from, to, length) };
    }
}

/// Copies like [`copy`], for fewer than 8 bytes.
///
/// # Safety
///
/// The same as for [`copy`].
#[inline(always)]
unsafe fn copy_few(from: *const u8, to: *mut u8, length: usize) {
    if length >= 4 {
        // SAFETY: guaranteed by the caller, and `length` is at least 4.
        unsafe { ends::<u32>(from, to, length) };
    } else if length >= 2 {
        // SAFETY: guaranteed by the caller, and `length` is at least 2.
        unsafe { ends::<u16>(from, to, length) };
    } else if length == 1 {
        // SAFETY: guaranteed by the caller, and `length` is 1.
        let byte = unsafe { from.read() };
        // SAFETY: as for reading.
        unsafe { to.write(byte) };
    }
}

/// Copies the first and the last `size_of::<T>()` bytes, which overlap or meet.
///
/// # Safety
///
/// The same as for [`copy`]. `length` is at least `size_of::<T>()`, and `T` consists of integers without padding.
#[inline(always)]
unsafe fn ends<T>(from: *const u8, to: *mut u8, length: usize) {
    let last = length - size_of::<T>();
    // SAFETY: the first `size_of::<T>()` bytes lie within `length`. Any bytes are a valid `T`, and the read is unaligned.
    let head = unsafe { from.cast::<T>().read_unaligned() };
    // SAFETY: so do the last `size_of::<T>()` bytes.
    let from = unsafe { from.add(last) };
    // SAFETY: as above.
    let tail = unsafe { from.cast::<T>().read_unaligned() };
    // SAFETY: as for reading.
    unsafe { to.cast::<T>().write_unaligned(head) };
    // SAFETY: as for reading.
    let to = unsafe { to.add(last) };
    // SAFETY: as for reading.
    unsafe { to.cast::<T>().write_unaligned(tail) };
}
