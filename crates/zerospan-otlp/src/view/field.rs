use super::message::Message;
use super::{ViewError, ViewErrorKind};

/// One field of a message.
#[derive(Clone, Copy)]
pub(super) struct Field<'a> {
    pub(super) number: u32,
    /// Where its tag stands.
    pub(super) at: usize,
    pub(super) content: Content<'a>,
}

#[derive(Clone, Copy)]
pub(super) enum Content<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    /// At the level of the message that it is in.
    Delimited(Message<'a>),
    /// A group, which no message of OTLP has: passed over.
    Group,
}

/// The fields of a message, in order; the first error is the last item.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    message: Message<'a>,
    at: usize,
}

impl<'a> Fields<'a> {
    #[inline]
    pub(super) fn new(message: Message<'a>) -> Self {
        Self {
            message,
            at: message.start,
        }
    }

    #[inline]
    fn read(&mut self) -> Result<Field<'a>, ViewError> {
        let at = self.at;
        let (number, wire_type) = self.tag()?;
        let content = match wire_type {
            0 => Content::Varint(self.varint()?),
            1 => Content::Fixed64(u64::from_le_bytes(self.array()?)),
            2 => Content::Delimited(self.delimited()?),
            3 => {
                self.pass_group(at, number)?;
                Content::Group
            }
            4 => return Err(ViewError::new(at, ViewErrorKind::UnexpectedEndOfGroup)),
            5 => Content::Fixed32(u32::from_le_bytes(self.array()?)),
            _ => return Err(ViewError::new(at, ViewErrorKind::InvalidTag)),
        };
        Ok(Field {
            number,
            at,
            content,
        })
    }

    /// The field's number and wire type.
    #[inline]
    fn tag(&mut self) -> Result<(u32, u8), ViewError> {
        let at = self.at;
        let tag = self.varint()?;
        match u32::try_from(tag) {
            Ok(tag) if tag >= 8 => Ok((tag >> 3, (tag & 7) as u8)),
            _ => Err(ViewError::new(at, ViewErrorKind::InvalidTag)),
        }
    }

    #[inline]
    fn varint(&mut self) -> Result<u64, ViewError> {
        let rest = self.rest();
        match rest.first() {
            Some(byte) if *byte < 0x80 => {
                self.at += 1;
                Ok((*byte).into())
            }
            _ => self.long_varint(rest),
        }
    }

    fn long_varint(&mut self, rest: &[u8]) -> Result<u64, ViewError> {
        let mut value = 0;
        for (index, byte) in rest.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * index);
            if *byte < 0x80 {
                // The tenth byte has room for one bit.
                if index == 9 && *byte > 1 {
                    break;
                }
                self.at += index + 1;
                return Ok(value);
            }
        }
        let kind = if rest.len() < 10 {
            ViewErrorKind::Truncated
        } else {
            ViewErrorKind::VarintTooLong
        };
        Err(ViewError::new(self.at, kind))
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], ViewError> {
        match self.rest().first_chunk() {
            Some(array) => {
                self.at += N;
                Ok(*array)
            }
            None => Err(ViewError::new(self.at, ViewErrorKind::Truncated)),
        }
    }

    #[inline]
    fn delimited(&mut self) -> Result<Message<'a>, ViewError> {
        let at = self.at;
        let length = self.varint()?;
        let start = self.at;
        if length > (self.message.end - start) as u64 {
            return Err(ViewError::new(at, ViewErrorKind::Truncated));
        }
        let end = start + length as usize;
        self.at = end;
        Ok(Message {
            start,
            end,
            ..self.message
        })
    }

    /// Passes over the rest of the group `number`, which began at `begun`. A loop, not a recursion: it only has to remember
    /// which groups are open, and there are no more of them than levels.
    #[cold]
    fn pass_group(&mut self, begun: usize, number: u32) -> Result<(), ViewError> {
        let mut open = [0_u32; u8::MAX as usize];
        let levels = usize::from(self.message.levels);
        let mut depth = 1;
        if levels < 1 {
            return Err(ViewError::new(begun, ViewErrorKind::TooDeep));
        }
        open[0] = number;
        while depth > 0 {
            let at = self.at;
            let (number, wire_type) = self.tag()?;
            if wire_type == 4 {
                if open[depth - 1] != number {
                    return Err(ViewError::new(at, ViewErrorKind::UnexpectedEndOfGroup));
                }
                depth -= 1;
                continue;
            }
            // What is in a group is a level deeper than the group.
            if depth >= levels {
                return Err(ViewError::new(at, ViewErrorKind::TooDeep));
            }
            match wire_type {
                0 => drop(self.varint()?),
                1 => drop(self.array::<8>()?),
                2 => drop(self.delimited()?),
                3 => {
                    open[depth] = number;
                    depth += 1;
                }
                5 => drop(self.array::<4>()?),
                _ => return Err(ViewError::new(at, ViewErrorKind::InvalidTag)),
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

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, ViewError>;

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
