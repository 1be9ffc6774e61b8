use crate::protobuf::{DecodeError, Field, Fields, Message};
use std::fmt;

type Parse<'a, T> = fn(Message<'a>) -> Result<T, DecodeError>;

/// The messages of one repeated field, in order, each read when it is reached. Does not allocate.
///
/// A message that cannot be read is an error. Those after it can still be read, unless their beginning is unknown.
#[derive(Clone)]
pub struct Repeated<'a, T> {
    fields: Fields<'a>,
    number: u32,
    parse: Parse<'a, T>,
}

impl<'a, T> Repeated<'a, T> {
    /// Creates an iterator over the messages of the field `number` of `message`. `parse` reads each.
    #[inline]
    pub(crate) fn new(message: Message<'a>, number: u32, parse: Parse<'a, T>) -> Self {
        Self {
            fields: message.fields(),
            number,
            parse,
        }
    }

    fn read(&self, field: Field<'a>) -> Result<T, DecodeError> {
        (self.parse)(field.message()?)
    }
}

impl<T> Iterator for Repeated<'_, T> {
    type Item = Result<T, DecodeError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.fields.next()? {
                Ok(field) if field.number == self.number => return Some(self.read(field)),
                Ok(_) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl<T> fmt::Debug for Repeated<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repeated")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

/// The texts of one repeated field, in order. Does not allocate.
#[derive(Clone)]
pub struct Texts<'a> {
    fields: Fields<'a>,
    number: u32,
}

impl<'a> Texts<'a> {
    /// Creates an iterator over the texts of the field `number` of `message`.
    pub(super) fn new(message: Message<'a>, number: u32) -> Self {
        Self {
            fields: message.fields(),
            number,
        }
    }
}

impl<'a> Iterator for Texts<'a> {
    type Item = Result<&'a str, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.fields.next()? {
                Ok(field) if field.number == self.number => return Some(field.text()),
                Ok(_) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl fmt::Debug for Texts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Texts")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}
