//! The values of log records: scalars, bytes, and nested arrays and maps.

use super::key::HashedKey;
use super::value::{encode_without_key, write_array};
use super::writer::AttributeWriter;
use crate::protobuf::schema::any_value::tag::KVLIST;
use crate::protobuf::schema::array_value;
use crate::protobuf::schema::key_value::tag::{KEY, VALUE};
use crate::protobuf::schema::key_value_list;
use crate::wire::{append, close, open, text};
use opentelemetry::logs::AnyValue;
use zerospan_core::{AttributeValue, UnsupportedValue};

/// The number of messages that may be nested in a value. Decoders refuse a request in which more than 100 are nested in all, and
/// a value begins at the sixth.
const MAX_LEVELS: u8 = 90;

/// The length that most entries of a map do not exceed.
const EXPECTED_ENTRY_LEN: usize = 32;

impl AttributeWriter<'_> {
    /// Sets `key` to `value`. Drops and counts an attribute that is beyond the limits.
    ///
    /// The limit of the length applies to each string and to bytes, at any depth. Arrays and maps that are nested so deep that
    /// a decoder would refuse the request are left empty.
    #[inline]
    pub fn set_any<'k>(&mut self, key: impl Into<HashedKey<'k>>, value: &AnyValue) {
        let key = key.into();
        match scalar(value) {
            Some(value) => self.set_hashed(key, value),
            None => self.set_container(key, value),
        }
    }

    #[inline(never)]
    fn set_container(&mut self, key: HashedKey<'_>, value: &AnyValue) {
        let (tag, max_chars) = (self.tag, self.max_chars);
        self.set_with(key, |out| {
            let start = out.len();
            let attribute = open(out, tag, EXPECTED_ENTRY_LEN);
            append(out, text(KEY, key.as_str()));
            let outcome = encode_any(out, VALUE, value, max_chars);
            match outcome {
                Ok(()) => close(out, attribute),
                Err(UnsupportedValue) => out.truncate(start),
            }
            outcome
        });
    }
}

/// Appends the field `tag` with `value`, whose strings are cut after `max_chars` characters.
///
/// # Errors
///
/// Returns [`UnsupportedValue`] if the value is of an unknown kind. Nothing is written then. Within an array or a map, such a
/// value is left empty.
#[inline]
pub(crate) fn encode_any(
    out: &mut Vec<u8>,
    tag: u8,
    value: &AnyValue,
    max_chars: usize,
) -> Result<(), UnsupportedValue> {
    encode_nested(out, tag, value, max_chars, MAX_LEVELS)
}

/// Appends a value in which `levels` messages may be nested. They bound the recursion.
fn encode_nested(
    out: &mut Vec<u8>,
    tag: u8,
    value: &AnyValue,
    max_chars: usize,
    levels: u8,
) -> Result<(), UnsupportedValue> {
    let encode_or_leave_empty = |out: &mut Vec<u8>, tag, value: &AnyValue, levels: Option<u8>| {
        let outcome = match levels {
            Some(levels) => encode_nested(out, tag, value, max_chars, levels),
            None => Err(UnsupportedValue),
        };
        if outcome.is_err() {
            append(out, [tag, 0]);
        }
    };
    match value {
        AnyValue::ListAny(values) => {
            // The array and the value in it.
            let levels = levels.checked_sub(2);
            write_array(out, tag, values.len(), |out| {
                for value in values.iter() {
                    encode_or_leave_empty(out, array_value::tag::VALUES, value, levels);
                }
            });
        }
        AnyValue::Map(entries) => {
            // The list, the entry and the value in it.
            let levels = levels.checked_sub(3);
            let expected_len = entries.len().saturating_mul(EXPECTED_ENTRY_LEN);
            let field = open(out, tag, expected_len);
            let list = open(out, KVLIST, expected_len);
            for (key, value) in entries.iter() {
                let entry = open(out, key_value_list::tag::VALUES, EXPECTED_ENTRY_LEN);
                append(out, text(KEY, key.as_str()));
                encode_or_leave_empty(out, VALUE, value, levels);
                close(out, entry);
            }
            close(out, list);
            close(out, field);
        }
        value => {
            let value = scalar(value).unwrap_or(AttributeValue::Unsupported);
            return encode_without_key(out, tag, value, max_chars);
        }
    }
    Ok(())
}

/// Returns the value, unless it is an array or a map.
#[inline]
fn scalar(value: &AnyValue) -> Option<AttributeValue<'_>> {
    Some(match value {
        AnyValue::Int(number) => AttributeValue::I64(*number),
        AnyValue::Double(number) => AttributeValue::F64(*number),
        AnyValue::String(text) => AttributeValue::Str(text.as_str()),
        AnyValue::Boolean(flag) => AttributeValue::Bool(*flag),
        AnyValue::Bytes(bytes) => AttributeValue::Bytes(bytes),
        AnyValue::ListAny(_) | AnyValue::Map(_) => return None,
        // `AnyValue` is `#[non_exhaustive]`.
        _ => AttributeValue::Unsupported,
    })
}
