//! A value without a key: the body of a log record, or an element of an array or a map.

use super::encode::cut;
use crate::protobuf::schema::any_value::tag::{ARRAY, BOOL, BYTES, DOUBLE, INT, STRING};
use crate::protobuf::schema::array_value::tag::VALUES;
use crate::protobuf::{field_len, varint_len};
use crate::wire::{ShortBytes, Varint, append, close, open};
use zerospan_core::{AttributeValue, UnsupportedValue};

/// The length that most elements of an array do not exceed.
const EXPECTED_ELEMENT_LEN: usize = 12;

/// Appends the field `tag` with `value`, whose strings are cut after `max_chars` characters, and bytes after as many bytes.
///
/// # Errors
///
/// Returns [`UnsupportedValue`] if the value cannot be encoded. Nothing is written then.
#[inline]
pub(crate) fn encode_without_key(
    out: &mut Vec<u8>,
    tag: u8,
    value: AttributeValue<'_>,
    max_chars: usize,
) -> Result<(), UnsupportedValue> {
    match value {
        AttributeValue::Str(text) => encode_blob(out, tag, STRING, cut(text, max_chars).as_bytes()),
        AttributeValue::I64(number) => {
            let number = number as u64;
            let head = [tag, 1 + varint_len(number) as u8, INT];
            append(out, (head, Varint(number)));
        }
        AttributeValue::F64(number) => append(out, ([tag, 9, DOUBLE], number.to_le_bytes())),
        AttributeValue::Bool(flag) => append(out, [tag, 2, BOOL, u8::from(flag)]),
        AttributeValue::Bytes(bytes) => {
            let end = bytes.len().min(max_chars);
            encode_blob(out, tag, BYTES, &bytes[..end]);
        }
        AttributeValue::BoolArray(flags) => {
            let flags = flags.iter().map(|flag| AttributeValue::Bool(*flag));
            encode_array(out, tag, flags, max_chars);
        }
        AttributeValue::I64Array(numbers) => {
            let numbers = numbers.iter().map(|number| AttributeValue::I64(*number));
            encode_array(out, tag, numbers, max_chars);
        }
        AttributeValue::F64Array(numbers) => {
            let numbers = numbers.iter().map(|number| AttributeValue::F64(*number));
            encode_array(out, tag, numbers, max_chars);
        }
        AttributeValue::StrArray(texts) => {
            encode_array(out, tag, texts.iter().map(AttributeValue::Str), max_chars);
        }
        _ => return Err(UnsupportedValue),
    }
    Ok(())
}

#[inline(always)]
fn encode_blob(out: &mut Vec<u8>, tag: u8, value_tag: u8, content: &[u8]) {
    match ShortBytes::new(content) {
        Some(short) => {
            let length = short.len() as u8;
            append(out, ([tag, 2 + length, value_tag, length], short));
        }
        None => {
            let (inner, length) = (field_len(content.len()), content.len());
            append(
                out,
                (
                    [tag],
                    Varint(inner as u64),
                    [value_tag],
                    Varint(length as u64),
                    content,
                ),
            );
        }
    }
}

#[inline(never)]
fn encode_array<'a>(
    out: &mut Vec<u8>,
    tag: u8,
    elements: impl ExactSizeIterator<Item = AttributeValue<'a>>,
    max_chars: usize,
) {
    write_array(out, tag, elements.len(), |out| {
        for element in elements {
            // Each element is a scalar, and scalars are supported.
            let _ = encode_without_key(out, VALUES, element, max_chars);
        }
    });
}

/// Appends the field `tag` with an array of `len` elements, which `write` appends.
pub(super) fn write_array(
    out: &mut Vec<u8>,
    tag: u8,
    len: usize,
    write: impl FnOnce(&mut Vec<u8>),
) {
    let expected_len = len.saturating_mul(EXPECTED_ELEMENT_LEN);
    let value = open(out, tag, expected_len);
    let array = open(out, ARRAY, expected_len);
    write(out);
    close(out, array);
    close(out, value);
}
