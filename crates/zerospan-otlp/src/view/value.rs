use super::repeated::Repeated;
use crate::protobuf::schema::{any_value, array_value, key_value, key_value_list};
use crate::protobuf::{DecodeError, DecodeErrorKind, Message};
use std::mem;

/// An attribute in encoded bytes: a `KeyValue`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AttributeView<'a> {
    /// The key.
    pub key: &'a str,
    /// The value, if the message has one.
    pub value: Option<ValueView<'a>>,
    /// The index of the key in the string table of a profile; 0 in traces and logs.
    pub key_index: i32,
    message: Message<'a>,
}

impl<'a> AttributeView<'a> {
    pub(crate) fn parse(message: Message<'a>) -> Result<Self, DecodeError> {
        let (mut key, mut key_index, mut value) = ("", 0, None);
        for field in message.fields() {
            let field = field?;
            match field.number {
                key_value::KEY => key = field.text()?,
                key_value::VALUE => field.store_message(&mut value)?,
                key_value::KEY_STRINDEX => key_index = field.varint()? as i32,
                _ => field.skip(message)?,
            }
        }
        Ok(Self {
            key,
            value: value.map(ValueView::parse).transpose()?,
            key_index,
            message,
        })
    }

    /// Returns the content of the `KeyValue`.
    #[inline]
    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.message.bytes()
    }

    pub(crate) fn validate(self) -> Result<(), DecodeError> {
        match self.value {
            Some(value) => value.validate(),
            None => Ok(()),
        }
    }
}

/// A value in encoded bytes: an `AnyValue`.
#[derive(Clone, Debug)]
#[non_exhaustive]
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
    /// An array, whose values are read as they are reached.
    Array(Repeated<'a, ValueView<'a>>),
    /// A list of keys and values, which are read as they are reached.
    KvList(Repeated<'a, AttributeView<'a>>),
    /// Bytes.
    Bytes(&'a [u8]),
    /// An index into the string table of a profile. Traces and logs have no such table.
    StrIndex(i32),
}

impl<'a> ValueView<'a> {
    pub(crate) fn parse(message: Message<'a>) -> Result<Self, DecodeError> {
        let mut value = Self::Empty;
        for field in message.fields() {
            let field = field?;
            let is_new = match (field.number, &value) {
                (any_value::ARRAY, Self::Array(_)) | (any_value::KVLIST, Self::KvList(_)) => {
                    Err(field.error(DecodeErrorKind::RepeatedMessage {
                        field: field.number,
                    }))
                }
                _ => Ok(()),
            };
            let next = match field.number {
                any_value::STRING => Self::Str(field.text()?),
                any_value::BOOL => Self::Bool(field.varint()? != 0),
                any_value::INT => Self::I64(field.varint()? as i64),
                any_value::DOUBLE => Self::F64(f64::from_bits(field.fixed64()?)),
                any_value::ARRAY => {
                    let array = field.message()?;
                    Self::Array(Repeated::new(array, array_value::VALUES, Self::parse))
                }
                any_value::KVLIST => {
                    let (list, values) = (field.message()?, key_value_list::VALUES);
                    Self::KvList(Repeated::new(list, values, AttributeView::parse))
                }
                any_value::BYTES => Self::Bytes(field.bytes()?),
                any_value::STRING_STRINDEX => Self::StrIndex(field.varint()? as i32),
                _ => {
                    field.skip(message)?;
                    continue;
                }
            };
            is_new?;
            // A value that another one replaces must be valid too.
            mem::replace(&mut value, next).validate()?;
        }
        Ok(value)
    }

    /// Returns the string, if the value is one.
    pub fn as_str(&self) -> Option<&'a str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the integer, if the value is one.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::I64(number) => Some(*number),
            _ => None,
        }
    }

    /// Returns the floating point number, if the value is one.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::F64(number) => Some(*number),
            _ => None,
        }
    }

    /// Returns the boolean, if the value is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// Reads nested values. The reader's limit of nesting bounds the recursion.
    pub(crate) fn validate(self) -> Result<(), DecodeError> {
        match self {
            Self::Array(mut values) => values.try_for_each(|value| value?.validate()),
            Self::KvList(mut attributes) => {
                attributes.try_for_each(|attribute| attribute?.validate())
            }
            _ => Ok(()),
        }
    }
}
