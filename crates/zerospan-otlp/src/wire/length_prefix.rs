//! Fields whose length is known only after their content is written.
//!
//! Bytes are reserved for the length. If it turns out to take more or fewer of them, the content is moved.

use super::append::append;
use super::bytes::Zeros;
use crate::protobuf::varint_len;

/// The place that is reserved for the length of an open field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LengthPrefix {
    at: usize,
    /// The number of reserved bytes.
    width: usize,
}

impl LengthPrefix {
    /// The place of `width` bytes after the tag at `tag_at`.
    #[inline(always)]
    pub(super) fn after_tag(tag_at: usize, width: usize) -> Self {
        Self {
            at: tag_at + 1,
            width,
        }
    }
}

/// Starts a field of about `expected_len` bytes at the end of `out`.
///
/// Returns the place of its length, and the value to append: the tag and the reserved bytes.
#[inline(always)]
pub(crate) fn begin(out: &[u8], tag: u8, expected_len: usize) -> (LengthPrefix, ([u8; 1], Zeros)) {
    let width = varint_len(expected_len as u64);
    let prefix = LengthPrefix::after_tag(out.len(), width);
    (prefix, ([tag], Zeros(width)))
}

/// Starts a field of about `expected_len` bytes, and appends its tag and the reserved bytes.
#[inline(always)]
pub(crate) fn open(out: &mut Vec<u8>, tag: u8, expected_len: usize) -> LengthPrefix {
    let (prefix, head) = begin(out, tag, expected_len);
    append(out, head);
    prefix
}

/// Ends a field: its content is everything in `out` after the reserved bytes.
#[inline(always)]
pub(crate) fn close(out: &mut Vec<u8>, prefix: LengthPrefix) {
    let LengthPrefix { at, width } = prefix;
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

/// Ends nested fields, the outermost first, each with one byte at its place for the length.
#[inline(always)]
pub(crate) fn close_short<const N: usize>(out: &mut Vec<u8>, places: [usize; N]) {
    let end = out.len();
    let is_short = places.first().is_none_or(|at| end - at <= 0x80);
    if !is_short {
        return close_long(out, &places);
    }
    for at in places {
        if let Some(place) = out.get_mut(at) {
            *place = (end - at - 1) as u8;
        }
    }
}

#[cold]
#[inline(never)]
fn close_long(out: &mut Vec<u8>, places: &[usize]) {
    for at in places.iter().rev() {
        close(out, LengthPrefix { at: *at, width: 1 });
    }
}

/// Changes the number of reserved bytes from `width` to `needed`.
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
