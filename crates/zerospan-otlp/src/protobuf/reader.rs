use super::error::{DecodeError, DecodeErrorKind};
use super::varint;
use super::wire_type::{END_GROUP, FIXED32, FIXED64, LENGTH_DELIMITED, START_GROUP, VARINT};
use std::fmt;

/// The limit of nesting. Other decoders have the same.
const MAX_DEPTH: u8 = 100;

/// The bytes of a message, read in place.
///
/// Offsets in errors count from the beginning of the outermost message. Reading does not allocate.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    input: &'a [u8],
    start: usize,
    end: usize,
    /// The number of levels that may still be nested in this message.
    levels: u8,
}

impl<'a> Message<'a> {
    /// Creates the outermost message, which is all of `input`.
    pub fn new(input: &'a [u8]) -> Self {
        Self {
            input,
            start: 0,
            end: input.len(),
            levels: MAX_DEPTH,
        }
    }

    /// Returns the fields, in the order of the bytes. The first error is the last item.
    #[inline]
    pub fn fields(self) -> Fields<'a> {
        Fields {
            message: self,
            at: self.start,
        }
    }

    /// Returns the bytes of the message.
    #[inline]
    pub fn bytes(self) -> &'a [u8] {
        self.input.get(self.start..self.end).unwrap_or_default()
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("start", &self.start)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

/// One field of a message.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    /// The field's number.
    pub number: u32,
    /// The position of the field's tag.
    pub offset: usize,
    /// The field's value.
    pub value: FieldValue<'a>,
}

/// The value of a field, by its wire type.
#[derive(Clone, Copy, Debug)]
pub enum FieldValue<'a> {
    /// A varint.
    Varint(u64),
    /// Eight bytes.
    Fixed64(u64),
    /// Four bytes.
    Fixed32(u32),
    /// A text, bytes or a message. Its level is that of the message that contains it, until [`Field::message`] descends.
    LengthDelimited(Message<'a>),
    /// A group, which was skipped. No message of OTLP has one.
    Group,
}

impl<'a> Field<'a> {
    /// Creates an error at the field's tag.
    pub fn error(&self, kind: DecodeErrorKind) -> DecodeError {
        DecodeError::new(self.offset, kind)
    }

    /// Skips an unknown field of `parent`. It counts as one level of nesting.
    #[inline]
    pub fn skip(&self, parent: Message<'_>) -> Result<(), DecodeError> {
        match parent.levels {
            0 => Err(self.error(DecodeErrorKind::TooDeep)),
            _ => Ok(()),
        }
    }

    /// Returns the value as a varint.
    #[inline]
    pub fn varint(&self) -> Result<u64, DecodeError> {
        match self.value {
            FieldValue::Varint(value) => Ok(value),
            _ => self.wrong_wire_type(),
        }
    }

    /// Returns the value as eight bytes.
    #[inline]
    pub fn fixed64(&self) -> Result<u64, DecodeError> {
        match self.value {
            FieldValue::Fixed64(value) => Ok(value),
            _ => self.wrong_wire_type(),
        }
    }

    /// Returns the value as four bytes.
    #[inline]
    pub fn fixed32(&self) -> Result<u32, DecodeError> {
        match self.value {
            FieldValue::Fixed32(value) => Ok(value),
            _ => self.wrong_wire_type(),
        }
    }

    /// Returns the value as bytes.
    #[inline]
    pub fn bytes(&self) -> Result<&'a [u8], DecodeError> {
        match self.value {
            FieldValue::LengthDelimited(content) => Ok(content.bytes()),
            _ => self.wrong_wire_type(),
        }
    }

    /// Returns the value as a text.
    #[inline]
    pub fn text(&self) -> Result<&'a str, DecodeError> {
        match std::str::from_utf8(self.bytes()?) {
            Ok(text) => Ok(text),
            Err(_) => Err(self.error(DecodeErrorKind::InvalidUtf8 { field: self.number })),
        }
    }

    /// Returns the value as a message, one level deeper than its parent.
    #[inline]
    pub fn message(&self) -> Result<Message<'a>, DecodeError> {
        let FieldValue::LengthDelimited(content) = self.value else {
            return self.wrong_wire_type();
        };
        match content.levels.checked_sub(1) {
            Some(levels) => Ok(Message { levels, ..content }),
            None => Err(self.error(DecodeErrorKind::TooDeep)),
        }
    }

    /// Stores the value as a message in `place`, which must be empty.
    pub fn store_message(&self, place: &mut Option<Message<'a>>) -> Result<(), DecodeError> {
        match place.replace(self.message()?) {
            None => Ok(()),
            Some(_) => Err(self.error(DecodeErrorKind::RepeatedMessage { field: self.number })),
        }
    }

    #[cold]
    fn wrong_wire_type<T>(&self) -> Result<T, DecodeError> {
        Err(self.error(DecodeErrorKind::WrongWireType { field: self.number }))
    }
}

/// The fields of a message, in the order of the bytes. The first error is the last item.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    message: Message<'a>,
    at: usize,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, DecodeError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.message.end {
            return None;
        }
        let field = self.read();
        if field.is_err() {
            self.at = self.message.end;
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    #[inline]
    fn read(&mut self) -> Result<Field<'a>, DecodeError> {
        let offset = self.at;
        let (number, wire_type) = self.tag()?;
        let value = match wire_type {
            VARINT => FieldValue::Varint(self.varint()?),
            FIXED64 => FieldValue::Fixed64(u64::from_le_bytes(self.array()?)),
            LENGTH_DELIMITED => FieldValue::LengthDelimited(self.length_delimited()?),
            START_GROUP => {
                self.skip_group(offset, number)?;
                FieldValue::Group
            }
            END_GROUP => {
                let kind = DecodeErrorKind::UnexpectedEndOfGroup;
                return Err(DecodeError::new(offset, kind));
            }
            FIXED32 => FieldValue::Fixed32(u32::from_le_bytes(self.array()?)),
            _ => return Err(DecodeError::new(offset, DecodeErrorKind::InvalidTag)),
        };
        Ok(Field {
            number,
            offset,
            value,
        })
    }

    /// Reads a tag. Returns the field's number and its wire type.
    #[inline]
    fn tag(&mut self) -> Result<(u32, u8), DecodeError> {
        let offset = self.at;
        let tag = self.varint()?;
        match u32::try_from(tag) {
            Ok(tag) if tag >= 8 => Ok((tag >> 3, (tag & 7) as u8)),
            _ => Err(DecodeError::new(offset, DecodeErrorKind::InvalidTag)),
        }
    }

    #[inline]
    fn varint(&mut self) -> Result<u64, DecodeError> {
        let rest = self.rest();
        match rest.first() {
            Some(byte) if *byte < 0x80 => {
                self.at += 1;
                Ok((*byte).into())
            }
            _ => self.long_varint(rest),
        }
    }

    fn long_varint(&mut self, rest: &[u8]) -> Result<u64, DecodeError> {
        let (value, length) =
            varint::decode(rest).map_err(|kind| DecodeError::new(self.at, kind))?;
        self.at += length;
        Ok(value)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        match self.rest().first_chunk() {
            Some(array) => {
                self.at += N;
                Ok(*array)
            }
            None => Err(DecodeError::new(self.at, DecodeErrorKind::Truncated)),
        }
    }

    #[inline]
    fn length_delimited(&mut self) -> Result<Message<'a>, DecodeError> {
        let offset = self.at;
        let length = self.varint()?;
        let start = self.at;
        if length > (self.message.end - start) as u64 {
            return Err(DecodeError::new(offset, DecodeErrorKind::Truncated));
        }
        let end = start + length as usize;
        self.at = end;
        Ok(Message {
            start,
            end,
            ..self.message
        })
    }

    /// Skips the rest of the group `number`, which starts at `offset`.
    ///
    /// A loop with a stack of the open groups, not a recursion: the stack is as deep as messages may be nested.
    #[cold]
    fn skip_group(&mut self, offset: usize, number: u32) -> Result<(), DecodeError> {
        let mut open = [0_u32; u8::MAX as usize];
        let levels = usize::from(self.message.levels);
        let mut depth = 1;
        if levels < 1 {
            return Err(DecodeError::new(offset, DecodeErrorKind::TooDeep));
        }
        open[0] = number;
        while depth > 0 {
            let offset = self.at;
            let (number, wire_type) = self.tag()?;
            if wire_type == END_GROUP {
                if open[depth - 1] != number {
                    let kind = DecodeErrorKind::UnexpectedEndOfGroup;
                    return Err(DecodeError::new(offset, kind));
                }
                depth -= 1;
                continue;
            }
            // The content of a group is one level deeper than the group.
            if depth >= levels {
                return Err(DecodeError::new(offset, DecodeErrorKind::TooDeep));
            }
            match wire_type {
                VARINT => drop(self.varint()?),
                FIXED64 => drop(self.array::<8>()?),
                LENGTH_DELIMITED => drop(self.length_delimited()?),
                START_GROUP => {
                    open[depth] = number;
                    depth += 1;
                }
                FIXED32 => drop(self.array::<4>()?),
                _ => return Err(DecodeError::new(offset, DecodeErrorKind::InvalidTag)),
            }
        }
        Ok(())
    }

    #[inline]
    fn rest(&self) -> &'a [u8] {
        self.message
            .input
            .get(self.at..self.message.end)
            .unwrap_or_default()
    }
}
