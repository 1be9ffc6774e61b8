//! The little of protobuf that it takes to tell spans apart, and to read an answer.

/// The tag of `ScopeSpans.spans`: field 2, length-delimited. Each recorded span begins with it.
pub(crate) const SPAN_TAG: u8 = 0x12;

pub(crate) fn put_varint(into: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        into.push(value as u8 | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}

/// Reads one varint: the value and the bytes behind it.
#[inline]
pub(crate) fn take_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
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

/// One field of a message.
pub(crate) enum Field<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    /// A fixed field, which no answer has: its content is of no interest.
    Fixed,
}

/// Reads the fields of a message in order; a malformed one ends in `Err`.
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

/// The bytes are no protobuf message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Field<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.take();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or(Malformed))
    }
}

impl<'a> Fields<'a> {
    fn take(&mut self) -> Option<(u64, Field<'a>)> {
        let (key, rest) = take_varint(self.0)?;
        let (field, rest) = match key & 7 {
            0 => {
                let (value, rest) = take_varint(rest)?;
                (Field::Varint(value), rest)
            }
            1 => (Field::Fixed, rest.get(8..)?),
            2 => {
                let (len, rest) = take_varint(rest)?;
                let (content, rest) = rest.split_at_checked(usize::try_from(len).ok()?)?;
                (Field::Bytes(content), rest)
            }
            5 => (Field::Fixed, rest.get(4..)?),
            _ => return None,
        };
        self.0 = rest;
        (key >> 3 != 0).then_some((key >> 3, field))
    }
}
