use super::field::{Content, Field, Fields};
use super::{ViewError, ViewErrorKind};
use std::fmt;

/// A message's bytes, in place: offsets count from the beginning of what the reader was given.
#[derive(Clone, Copy)]
pub(crate) struct Message<'a> {
    pub(super) input: &'a [u8],
    pub(super) start: usize,
    pub(super) end: usize,
    /// How many more levels may be nested in it.
    pub(super) levels: u8,
}

/// How deep messages may be nested, as other decoders have it.
const LEVELS: u8 = 100;

impl<'a> Message<'a> {
    pub(crate) fn whole(input: &'a [u8]) -> Self {
        Self {
            input,
            start: 0,
            end: input.len(),
            levels: LEVELS,
        }
    }

    #[inline]
    pub(super) fn fields(self) -> Fields<'a> {
        Fields::new(self)
    }

    #[inline]
    pub(super) fn bytes(self) -> &'a [u8] {
        self.input.get(self.start..self.end).unwrap_or_default()
    }

    /// The messages of the field `number`, each read by `parse`.
    #[inline]
    pub(crate) fn repeated<T>(self, number: u32, parse: Parse<'a, T>) -> Repeated<'a, T> {
        Repeated {
            fields: self.fields(),
            number,
            parse,
        }
    }

    pub(super) fn texts(self, number: u32) -> Texts<'a> {
        Texts {
            fields: self.fields(),
            number,
        }
    }
}

type Parse<'a, T> = fn(Message<'a>) -> Result<T, ViewError>;

/// The messages of one field, in order, each read when it is reached. Does not allocate.
///
/// A message that cannot be read is an error; those behind it can be read still, unless where they begin is lost.
#[derive(Clone)]
pub struct Repeated<'a, T> {
    fields: Fields<'a>,
    number: u32,
    parse: Parse<'a, T>,
}

impl<'a, T> Repeated<'a, T> {
    fn read(&self, field: Field<'a>) -> Result<T, ViewError> {
        (self.parse)(field.message()?)
    }
}

impl<T> Iterator for Repeated<'_, T> {
    type Item = Result<T, ViewError>;

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

/// The texts of one field, in order. Does not allocate.
#[derive(Clone)]
pub struct Texts<'a> {
    fields: Fields<'a>,
    number: u32,
}

impl<'a> Iterator for Texts<'a> {
    type Item = Result<&'a str, ViewError>;

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

/// Puts a message where none stands yet.
pub(super) fn once<'a>(place: &mut Option<Message<'a>>, field: Field<'a>) -> Result<(), ViewError> {
    let message = field.message()?;
    match place.replace(message) {
        None => Ok(()),
        Some(_) => Err(field.error(ViewErrorKind::RepeatedMessage {
            field: field.number,
        })),
    }
}

impl<'a> Field<'a> {
    pub(super) fn error(&self, kind: ViewErrorKind) -> ViewError {
        ViewError::new(self.at, kind)
    }

    /// Passes over a field that is not known, which counts as a level of its own.
    #[inline]
    pub(super) fn unknown(&self, of: Message<'_>) -> Result<(), ViewError> {
        match of.levels {
            0 => Err(self.error(ViewErrorKind::TooDeep)),
            _ => Ok(()),
        }
    }

    #[cold]
    fn wrong_type<T>(&self) -> Result<T, ViewError> {
        Err(self.error(ViewErrorKind::WrongWireType { field: self.number }))
    }

    #[inline]
    pub(super) fn varint(&self) -> Result<u64, ViewError> {
        match self.content {
            Content::Varint(value) => Ok(value),
            _ => self.wrong_type(),
        }
    }

    #[inline]
    pub(super) fn fixed64(&self) -> Result<u64, ViewError> {
        match self.content {
            Content::Fixed64(value) => Ok(value),
            _ => self.wrong_type(),
        }
    }

    #[inline]
    pub(super) fn fixed32(&self) -> Result<u32, ViewError> {
        match self.content {
            Content::Fixed32(value) => Ok(value),
            _ => self.wrong_type(),
        }
    }

    #[inline]
    pub(super) fn bytes(&self) -> Result<&'a [u8], ViewError> {
        match self.content {
            Content::Delimited(content) => Ok(content.bytes()),
            _ => self.wrong_type(),
        }
    }

    #[inline]
    pub(super) fn text(&self) -> Result<&'a str, ViewError> {
        match std::str::from_utf8(self.bytes()?) {
            Ok(text) => Ok(text),
            Err(_) => Err(self.error(ViewErrorKind::InvalidUtf8 { field: self.number })),
        }
    }

    /// The content as a message, which is one level deeper than its own.
    #[inline]
    pub(super) fn message(&self) -> Result<Message<'a>, ViewError> {
        let Content::Delimited(content) = self.content else {
            return self.wrong_type();
        };
        match content.levels.checked_sub(1) {
            Some(levels) => Ok(Message { levels, ..content }),
            None => Err(self.error(ViewErrorKind::TooDeep)),
        }
    }
}
