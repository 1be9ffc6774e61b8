//! A reader of protobuf messages.

use crate::varint::take_varint;

/// One field of a message.
pub(super) enum Field<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    /// A fixed-width field: no response has one, so its content is skipped.
    Fixed,
}

/// Iterates over the fields of a message in order, and ends with `Err` at a malformed one.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

/// The bytes are not a protobuf message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

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
