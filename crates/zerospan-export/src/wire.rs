//! The little of protobuf that it takes to tell spans apart.

/// The tag of `ScopeSpans.spans`: field 2, length-delimited. Each recorded span begins with it.
pub(crate) const SPAN_TAG: u8 = 0x12;

/// Reads one varint: the value and the bytes behind it.
#[inline]
fn take_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (index, &byte) in bytes.iter().take(10).enumerate() {
        if index == 9 && byte > 1 {
            return None;
        }
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            return Some((value, &bytes[index + 1..]));
        }
    }
    None
}

/// Length of the span field that `bytes` begins with, tag and length included; `None` if that is not what they begin with.
#[inline]
pub(crate) fn span_field_len(bytes: &[u8]) -> Option<usize> {
    let (&tag, rest) = bytes.split_first()?;
    if tag != SPAN_TAG {
        return None;
    }
    let (len, content) = take_varint(rest)?;
    let len = usize::try_from(len).ok()?;
    (len <= content.len()).then(|| bytes.len() - content.len() + len)
}
