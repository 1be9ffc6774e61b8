//! The little of protobuf that a request needs around spans that are already encoded, and the little that an answer takes.

use opentelemetry::InstrumentationScope;

/// The tag of `ScopeSpans.spans`: field 2, length-delimited. Each recorded span begins with it.
pub(crate) const SPAN_TAG: u8 = 0x12;

/// How many bytes `value` takes as a varint.
#[inline]
pub(crate) const fn varint_len(value: u64) -> usize {
    // 1 + floor(log2(value | 1) / 7)
    ((64 - (value | 1).leading_zeros() as usize) + 6) / 7
}

#[inline]
pub(crate) fn put_varint(into: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        into.push(value as u8 | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}

/// The length-delimited field `number` (below 16) around `bytes`.
pub(crate) fn put_bytes(into: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    put_header(into, number, bytes.len());
    into.extend_from_slice(bytes);
}

/// Tag and length of the length-delimited field `number` (below 16).
pub(crate) fn put_header(into: &mut Vec<u8>, number: u8, len: usize) {
    debug_assert!(number < 16);
    into.push(number << 3 | 2);
    put_varint(into, len as u64);
}

/// The bytes that a field of one-byte tag takes around a content of `len` bytes.
pub(crate) const fn header_len(len: usize) -> usize {
    1 + varint_len(len as u64)
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

/// `ScopeSpans.scope`, with its tag.
pub(crate) fn put_scope(into: &mut Vec<u8>, scope: &InstrumentationScope) {
    let mut content = Vec::new();
    if !scope.name().is_empty() {
        put_bytes(&mut content, 1, scope.name().as_bytes());
    }
    if let Some(version) = scope.version() {
        put_bytes(&mut content, 2, version.as_bytes());
    }
    put_bytes(into, 1, &content);
}
