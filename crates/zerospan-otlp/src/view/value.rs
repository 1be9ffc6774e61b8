use super::message::{Message, Repeated, once};
use super::{ViewError, ViewErrorKind};
use std::mem;

/// One attribute of encoded bytes: `KeyValue`.
#[derive(Clone, Debug)]
pub struct AttributeView<'a> {
    /// The attribute's name.
    pub key: &'a str,
    /// The attribute's value; `None` where the message has none.
    pub value: Option<ValueView<'a>>,
    /// The key's place in the string table of a profile; 0 in a trace.
    pub key_index: i32,
}

impl<'a> AttributeView<'a> {
    pub(crate) fn parse(message: Message<'a>) -> Result<Self, ViewError> {
        let (mut key, mut key_index, mut value) = ("", 0, None);
        for field in message.fields() {
            let field = field?;
            match field.number {
                1 => key = field.text()?,
                2 => once(&mut value, field)?,
                3 => key_index = field.varint()? as i32,
                _ => field.unknown(message)?,
            }
        }
        Ok(Self {
            key,
            value: value.map(ValueView::parse).transpose()?,
            key_index,
        })
    }

    pub(crate) fn validate(self) -> Result<(), ViewError> {
        match self.value {
            Some(value) => value.validate(),
            None => Ok(()),
        }
    }
}

/// The value of an attribute of encoded bytes: `AnyValue`.
#[derive(Clone, Debug)]
pub enum ValueView<'a> {
    /// A message without a value.
    Empty,
    /// A string.
    Str(&'a str),
    /// A boolean.
    Bool(bool),
    /// A signed 64-bit integer.
    I64(i64),
    /// A 64-bit floating point number.
    F64(f64),
    /// An array: its values are read as they are reached.
    Array(Repeated<'a, ValueView<'a>>),
    /// A list of keys and values, which are read as they are reached.
    KvList(Repeated<'a, AttributeView<'a>>),
    /// Bytes.
    Bytes(&'a [u8]),
    /// A place in the string table of a profile; in a trace, no string.
    StrIndex(i32),
}

impl<'a> ValueView<'a> {
    pub(crate) fn parse(message: Message<'a>) -> Result<Self, ViewError> {
        let mut value = Self::Empty;
        for field in message.fields() {
            let field = field?;
            let twice = match (field.number, &value) {
                (5, Self::Array(_)) | (6, Self::KvList(_)) => {
                    Err(field.error(ViewErrorKind::RepeatedMessage {
                        field: field.number,
                    }))
                }
                _ => Ok(()),
            };
            let next = match field.number {
                1 => Self::Str(field.text()?),
                2 => Self::Bool(field.varint()? != 0),
                3 => Self::I64(field.varint()? as i64),
                4 => Self::F64(f64::from_bits(field.fixed64()?)),
                5 => Self::Array(field.message()?.repeated(1, Self::parse)),
                6 => Self::KvList(field.message()?.repeated(1, AttributeView::parse)),
                7 => Self::Bytes(field.bytes()?),
                8 => Self::StrIndex(field.varint()? as i32),
                _ => {
                    field.unknown(message)?;
                    continue;
                }
            };
            twice?;
            // What another value takes the place of has to be whole as well.
            mem::replace(&mut value, next).validate()?;
        }
        Ok(value)
    }

    /// The string, if it is one.
    pub fn as_str(&self) -> Option<&'a str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The integer, if it is one.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::I64(number) => Some(*number),
            _ => None,
        }
    }

    /// The floating point number, if it is one.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::F64(number) => Some(*number),
            _ => None,
        }
    }

    /// The boolean, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// Reads what is nested. The recursion ends where messages are nested too deep to be read.
    pub(crate) fn validate(self) -> Result<(), ViewError> {
        match self {
            Self::Array(mut values) => values.try_for_each(|value| value?.validate()),
            Self::KvList(mut attributes) => {
                attributes.try_for_each(|attribute| attribute?.validate())
            }
            _ => Ok(()),
        }
    }
}
