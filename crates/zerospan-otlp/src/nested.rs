//! Messages whose length is known only once they are written.

use crate::protobuf::varint_len;
use crate::wire::{Zeros, append};

/// Where a field with a length was begun.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Open {
    /// Where the length stands.
    at: usize,
    /// The bytes that were set aside for it.
    width: usize,
}

impl Open {
    /// The field that is about to be begun with a tag, and `width` bytes for its length.
    #[inline(always)]
    pub(crate) fn after(out: &[u8], width: usize) -> Self {
        Self {
            at: out.len() + 1,
            width,
        }
    }
}

#[cfg(any(test, feature = "sdk"))]
impl Open {
    /// The field whose tag stands at `tag`, in front of `width` bytes for its length.
    pub(crate) fn at(tag: usize, width: usize) -> Self {
        Self { at: tag + 1, width }
    }
}

/// Where the field that is appended next is begun, and what is to be appended: its `tag`, and the bytes that are set aside for
/// a length of about `expected`.
#[inline(always)]
pub(crate) fn begin(out: &[u8], tag: u8, expected: usize) -> (Open, ([u8; 1], Zeros)) {
    let width = varint_len(expected as u64);
    (Open::after(out, width), ([tag], Zeros(width)))
}

/// Begins the field `tag`, of about `expected` bytes.
#[inline(always)]
pub(crate) fn open(out: &mut Vec<u8>, tag: u8, expected: usize) -> Open {
    let (open, head) = begin(out, tag, expected);
    append(out, head);
    open
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
    if needed == 1
        && let Some(place) = out.get_mut(at)
    {
        *place = length as u8;
        return;
    }
    if needed == 2
        && let Some(place) = out[at..].first_chunk_mut()
    {
        *place = [length as u8 | 0x80, (length >> 7) as u8];
        return;
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
