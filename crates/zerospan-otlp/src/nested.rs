//! Messages whose length is known only once they are written.

use crate::wire::{append, varint_len};

/// Where a field with a length was begun.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Open {
    /// Where the length stands.
    at: usize,
    /// The bytes that were set aside for it.
    width: usize,
}

/// Begins the field `tag`, of about `expected` bytes.
#[inline(always)]
pub(crate) fn open(out: &mut Vec<u8>, tag: u8, expected: usize) -> Open {
    let at = out.len() + 1;
    let width = varint_len(expected as u64);
    append(out, ([tag], &[0; 10][..width]));
    Open { at, width }
}

/// Ends the field: everything behind it in `out` belongs to it.
#[inline(always)]
pub(crate) fn close(out: &mut Vec<u8>, open: Open) {
    let Open { at, width } = open;
    let length = out.len() - (at + width);
    let needed = varint_len(length as u64);
    if needed != width {
        resize(out, at, width, needed);
    }
    let mut left = length;
    for byte in &mut out[at..at + needed] {
        *byte = left as u8 | 0x80;
        left >>= 7;
    }
    out[at + needed - 1] &= 0x7f;
}

/// Makes the room for the length `needed` bytes wide.
#[inline(never)]
fn resize(out: &mut Vec<u8>, at: usize, width: usize, needed: usize) {
    let end = out.len();
    if needed > width {
        out.resize(end + needed - width, 0);
        out.copy_within(at + width..end, at + needed);
    } else {
        out.copy_within(at + width.., at + needed);
        out.truncate(end + needed - width);
    }
}
