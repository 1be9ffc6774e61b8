//! Fetching memory that is about to be written.
//!
//! A processor writes to a line of memory once it has it to itself. If another one has read the line or written to it, getting
//! it takes 35 to 100 ns, and a locked instruction waits for all writes before it. A line that was asked for early is there in
//! time.
//!
//! The hint is one for writing: a fetch for reading leaves a line that two processors share as it is.
#![allow(unsafe_code)]

/// The size of a line.
pub const LINE: usize = 64;

/// Asks for the lines from `start` to `end` of the memory of `buffer`, of which those that lie beyond its capacity are left out.
///
/// Changes nothing but the time that a later write takes.
#[inline(always)]
pub fn for_writing(buffer: &Vec<u8>, start: usize, end: usize) {
    let end = end.min(buffer.capacity());
    let mut at = start;
    while at < end {
        fetch_line(buffer.as_ptr().wrapping_add(at));
        at += LINE;
    }
}

/// Asks for the lines of `value`, without what it points to.
///
/// Changes nothing but the time that a later access takes.
#[inline(always)]
pub fn value_for_writing<T>(value: &T) {
    let start = std::ptr::from_ref(value).cast::<u8>();
    let mut at = 0;
    while at < size_of::<T>() {
        fetch_line(start.wrapping_add(at));
        at += LINE;
    }
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline(always)]
fn fetch_line(at: *const u8) {
    // SAFETY: a hint. It raises no fault, whatever the address, and changes neither memory nor flags. A processor in 64-bit mode
    // that does not know it does nothing.
    unsafe {
        std::arch::asm!("prefetchw [{}]", in(reg) at, options(readonly, nostack, preserves_flags));
    }
}

#[cfg(all(target_arch = "aarch64", not(miri)))]
#[inline(always)]
fn fetch_line(at: *const u8) {
    // SAFETY: a hint. It raises no fault, whatever the address, and changes neither memory nor flags.
    unsafe {
        std::arch::asm!("prfm pstl1keep, [{}]", in(reg) at, options(readonly, nostack, preserves_flags));
    }
}

#[cfg(not(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri))))]
#[inline(always)]
fn fetch_line(_: *const u8) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_range_of_any_buffer_may_be_fetched_and_nothing_changes() {
        let mut empty = Vec::new();
        for_writing(&empty, 0, usize::MAX);
        for_writing(&empty, usize::MAX, usize::MAX);
        empty.extend_from_slice(&[7; 100]);
        let mut buffer = empty;
        buffer.reserve(10_000);
        for_writing(&buffer, 0, usize::MAX);
        for_writing(&buffer, 90, 50);
        for_writing(&buffer, 9_999, 10_500);
        assert_eq!(buffer, [7; 100]);
    }

    #[test]
    fn any_value_may_be_fetched_and_nothing_changes() {
        value_for_writing(&());
        let values = [[7_u8; 100]; 3];
        value_for_writing(&values[1]);
        value_for_writing(&values);
        assert_eq!(values, [[7; 100]; 3]);
    }
}
