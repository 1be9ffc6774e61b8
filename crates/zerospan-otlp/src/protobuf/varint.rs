use super::error::DecodeErrorKind;

/// The largest number of bytes that a varint takes.
const MAX_VARINT_LEN: usize = 10;

/// Returns the length of `value` as a shortest varint: 1 to 10 bytes.
#[inline(always)]
pub const fn varint_len(value: u64) -> usize {
    // The number of bits divided by 7, rounded up, for 1 to 64 bits.
    ((64 - (value | 1).leading_zeros() as usize) * 9 + 64) / 64
}

/// Returns the length of a length-delimited field with a tag of one byte and `content` bytes of content.
#[inline(always)]
pub const fn field_len(content: usize) -> usize {
    1 + varint_len(content as u64) + content
}

/// Appends `value` as a shortest varint.
pub fn write_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads the varint that `bytes` begins with. Returns its value and the bytes after it.
///
/// Returns `None` if it is truncated or has more than 64 bits.
#[inline]
pub fn read_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (value, length) = decode(bytes).ok()?;
    Some((value, bytes.get(length..)?))
}

/// Returns the length of the length-delimited field that `bytes` begins with, tag and length included.
///
/// Returns `None` if the bytes begin with a tag other than `tag`, or end before the field does.
#[inline]
pub fn leading_field_len(bytes: &[u8], tag: u8) -> Option<usize> {
    let (first, rest) = bytes.split_first()?;
    if *first != tag {
        return None;
    }
    let (length, content) = read_varint(rest)?;
    let length = usize::try_from(length).ok()?;
    (length <= content.len()).then(|| bytes.len() - content.len() + length)
}

/// Reads the varint that `bytes` begins with. Returns its value and its length.
#[inline]
pub(super) fn decode(bytes: &[u8]) -> Result<(u64, usize), DecodeErrorKind> {
    let mut value = 0;
    for (index, &byte) in bytes.iter().take(MAX_VARINT_LEN).enumerate() {
        // The last byte has room for one bit.
        if index + 1 == MAX_VARINT_LEN && byte > 1 {
            return Err(DecodeErrorKind::VarintTooLong);
        }
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            return Ok((value, index + 1));
        }
    }
    Err(DecodeErrorKind::Truncated)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_varint_of_more_than_64_bits_is_refused() {
        let longest = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(read_varint(&longest), Some((u64::MAX, &[][..])));
        for last in [0x02, 0x7f, 0x80, 0x81, 0xff] {
            let mut bytes = longest;
            bytes[9] = last;
            assert_eq!(decode(&bytes), Err(DecodeErrorKind::VarintTooLong));
        }
        assert_eq!(decode(&longest[..9]), Err(DecodeErrorKind::Truncated));
        assert_eq!(decode(&[]), Err(DecodeErrorKind::Truncated));
    }

    #[test]
    fn the_length_of_a_leading_field_is_known_only_if_all_of_it_is_there() {
        let field = [0x12, 0x03, b'a', b'b', b'c'];
        assert_eq!(leading_field_len(&field, 0x12), Some(5));
        let two = [&field[..], &field[..]].concat();
        assert_eq!(leading_field_len(&two, 0x12), Some(5));
        assert_eq!(leading_field_len(&field, 0x0a), None);
        for end in 0..field.len() {
            assert_eq!(leading_field_len(&field[..end], 0x12), None);
        }
        let huge = [
            0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01,
        ];
        assert_eq!(leading_field_len(&huge, 0x12), None);
    }

    proptest! {
        #[test]
        fn a_varint_reads_back_as_it_was_written(value in any::<u64>(), shift in 0_u32..64) {
            let value = value >> shift;
            let mut bytes = Vec::new();
            write_varint(&mut bytes, value);
            prop_assert_eq!(bytes.len(), varint_len(value));
            bytes.push(0xff);
            prop_assert_eq!(read_varint(&bytes), Some((value, &[0xff][..])));
        }
    }
}
