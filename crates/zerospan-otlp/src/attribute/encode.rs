//! One attribute: the field of a message that repeats `KeyValue`.

use super::key::Key;
use crate::protobuf::schema::any_value::tag::{ARRAY, BOOL, BYTES, DOUBLE, INT, STRING};
use crate::protobuf::schema::array_value::tag::VALUES;
use crate::protobuf::schema::key_value::tag::{KEY, VALUE};
use crate::protobuf::{field_len, varint_len};
use crate::wire::{Cursor, Encode, Varint, append};
use opentelemetry::Value;
use zerospan_core::{AttributeValue, StrArray, UnsupportedValue};

/// No limit of the length of a string value.
pub(crate) const UNLIMITED: usize = usize::MAX;

/// Appends the field `tag` with `key` and `value`, whose strings are cut after `max_chars` characters, and bytes after as many
/// bytes.
///
/// # Errors
///
/// Returns [`UnsupportedValue`] if the value cannot be encoded. Nothing is written then.
#[inline(always)]
pub(crate) fn encode<K: Key>(
    out: &mut Vec<u8>,
    tag: u8,
    key: K,
    value: AttributeValue<'_>,
    max_chars: usize,
) -> Result<(), UnsupportedValue> {
    match value {
        // A character has at least one byte.
        AttributeValue::Str(text) if text.len() <= max_chars => string(out, tag, key, text),
        AttributeValue::Str(text) => cut_string(out, tag, key.as_str(), text, max_chars),
        AttributeValue::I64(number) => {
            let number = number as u64;
            scalar(out, tag, key, INT, Varint(number), varint_len(number));
        }
        AttributeValue::F64(number) => scalar(out, tag, key, DOUBLE, number.to_le_bytes(), 8),
        AttributeValue::Bool(flag) => scalar(out, tag, key, BOOL, [u8::from(flag)], 1),
        AttributeValue::BoolArray(flags) => bools(out, tag, key.as_str(), flags),
        AttributeValue::I64Array(numbers) => integers(out, tag, key.as_str(), numbers),
        AttributeValue::F64Array(numbers) => floats(out, tag, key.as_str(), numbers),
        AttributeValue::StrArray(texts) => strings(out, tag, key.as_str(), texts, max_chars),
        AttributeValue::Bytes(content) => {
            bytes(
                out,
                tag,
                key.as_str(),
                &content[..content.len().min(max_chars)],
            );
        }
        _ => return Err(UnsupportedValue),
    }
    Ok(())
}

/// Appends an attribute like [`encode`], with a value of the API crate and without a limit.
///
/// # Errors
///
/// Returns [`UnsupportedValue`] if the value cannot be encoded. Nothing is written then.
#[inline(always)]
pub(crate) fn encode_value(
    out: &mut Vec<u8>,
    tag: u8,
    key: &str,
    value: &Value,
) -> Result<(), UnsupportedValue> {
    let scalar = match value {
        Value::String(text) => {
            string(out, tag, key, text.as_str());
            return Ok(());
        }
        Value::I64(number) => AttributeValue::I64(*number),
        Value::F64(number) => AttributeValue::F64(*number),
        Value::Bool(flag) => AttributeValue::Bool(*flag),
        // Arrays are rare, so their code is not inlined here.
        other => return encode_any_value(out, tag, key, other),
    };
    encode(out, tag, key, scalar, UNLIMITED)
}

/// Appends an attribute like [`encode_value`], not inlined.
///
/// # Errors
///
/// Returns [`UnsupportedValue`] if the value cannot be encoded. Nothing is written then.
#[inline(never)]
pub(crate) fn encode_any_value(
    out: &mut Vec<u8>,
    tag: u8,
    key: &str,
    value: &Value,
) -> Result<(), UnsupportedValue> {
    encode(out, tag, key, value.into(), UNLIMITED)
}

/// Returns `true` if the attribute at `start` in `area`, which this module wrote, has the key `key`.
#[inline]
pub(crate) fn key_is(area: &[u8], start: usize, key: &str) -> bool {
    key_at(area, start) == Some(key.as_bytes())
}

/// Returns the key of the attribute at `start` in `area`, which this module wrote.
#[inline]
pub(crate) fn key_at(area: &[u8], start: usize) -> Option<&[u8]> {
    let after_varint = |at: usize| {
        let length = area.get(at..)?.iter().position(|byte| *byte < 0x80)?;
        Some(at + length + 1)
    };
    // After the attribute's tag and length, then after those of the key.
    let key_tag = after_varint(start + 1)?;
    if area.get(key_tag) != Some(&KEY) {
        return Some(&[]);
    }
    let at = after_varint(key_tag + 1)?;
    let mut length = 0_usize;
    for (place, byte) in area[key_tag + 1..at].iter().enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * place);
    }
    area.get(at..at + length)
}

/// Appends an attribute like [`encode`], if every length takes one byte and the value is no array and need not be cut. Returns
/// `false`, and appends nothing, otherwise.
#[inline(always)]
pub(super) fn encode_short<K: Key>(
    out: &mut Cursor<'_>,
    tag: u8,
    key: K,
    value: AttributeValue<'_>,
    max_chars: usize,
) -> bool {
    match value {
        AttributeValue::Str(text) if text.len() <= max_chars => {
            let Some((key, short)) = key.with_text(tag, text.as_bytes()) else {
                return false;
            };
            out.append((key, text_head(text), short));
            true
        }
        AttributeValue::I64(number) => {
            let number = number as u64;
            short_scalar(out, tag, key, INT, Varint(number), varint_len(number))
        }
        AttributeValue::F64(number) => short_scalar(out, tag, key, DOUBLE, number.to_le_bytes(), 8),
        AttributeValue::Bool(flag) => short_scalar(out, tag, key, BOOL, [u8::from(flag)], 1),
        _ => false,
    }
}

#[inline(always)]
fn short_scalar<K: Key>(
    out: &mut Cursor<'_>,
    tag: u8,
    key: K,
    value_tag: u8,
    value: impl Encode,
    length: usize,
) -> bool {
    let Some(key) = key.with_scalar(tag, length) else {
        return false;
    };
    out.append((key, [VALUE, 1 + length as u8, value_tag], value));
    true
}

/// Appends an attribute with a value of at most 10 bytes.
#[inline(always)]
fn scalar<K: Key>(
    out: &mut Vec<u8>,
    tag: u8,
    key: K,
    value_tag: u8,
    value: impl Encode,
    length: usize,
) {
    let head = [VALUE, 1 + length as u8, value_tag];
    match key.with_scalar(tag, length) {
        Some(key) => append(out, (key, head, value)),
        None => long_scalar(out, tag, key.as_str(), 3 + length, (head, value)),
    }
}

#[inline(always)]
fn string<K: Key>(out: &mut Vec<u8>, tag: u8, key: K, text: &str) {
    match key.with_text(tag, text.as_bytes()) {
        Some((key, short)) => append(out, (key, text_head(text), short)),
        None => long_string(out, tag, key.as_str(), text),
    }
}

/// Not inlined, so that the length of a constant text stays a constant in the caller.
#[inline(never)]
fn cut_string(out: &mut Vec<u8>, tag: u8, key: &str, text: &str, max_chars: usize) {
    string(out, tag, key, cut(text, max_chars));
}

/// Returns the value's tag and length and the text's tag and length, of which each takes one byte.
#[inline(always)]
fn text_head(text: &str) -> [u8; 4] {
    const TEXT_HEAD: u32 = u32::from_le_bytes([VALUE, 2, STRING, 0]);
    // A sum, since no byte overflows into the next.
    (TEXT_HEAD + text.len() as u32 * 0x0100_0100).to_le_bytes()
}

/// Not inlined, so that the caller, which rarely needs it, stays short.
#[cold]
#[inline(never)]
fn long_scalar(out: &mut Vec<u8>, tag: u8, key: &str, length: usize, value: impl Encode) {
    long(out, tag, key, length, value);
}

#[inline(never)]
fn long_string(out: &mut Vec<u8>, tag: u8, key: &str, text: &str) {
    blob(out, tag, key, STRING, text.as_bytes());
}

#[inline(never)]
fn bytes(out: &mut Vec<u8>, tag: u8, key: &str, content: &[u8]) {
    blob(out, tag, key, BYTES, content);
}

#[inline(always)]
fn blob(out: &mut Vec<u8>, tag: u8, key: &str, value_tag: u8, content: &[u8]) {
    let inner = field_len(content.len());
    let value = (
        [VALUE],
        Varint(inner as u64),
        [value_tag],
        Varint(content.len() as u64),
        content,
    );
    long(out, tag, key, field_len(inner), value);
}

/// Appends an attribute of any length. `value` is the whole field with the value, of `length` bytes.
#[inline(always)]
fn long(out: &mut Vec<u8>, tag: u8, key: &str, length: usize, value: impl Encode) {
    let whole = key_len(key) + length;
    let key = (!key.is_empty()).then_some(([KEY], Varint(key.len() as u64), key.as_bytes()));
    append(out, ([tag], Varint(whole as u64), key, value));
}

#[inline(never)]
fn bools(out: &mut Vec<u8>, tag: u8, key: &str, flags: &[bool]) {
    let elements = flags.iter().map(|flag| [BOOL, u8::from(*flag)]);
    array(out, tag, key, elements, |_| 2);
}

#[inline(never)]
fn integers(out: &mut Vec<u8>, tag: u8, key: &str, numbers: &[i64]) {
    let elements = numbers.iter().map(|number| ([INT], Varint(*number as u64)));
    array(out, tag, key, elements, |(_, Varint(number))| {
        1 + varint_len(*number)
    });
}

#[inline(never)]
fn floats(out: &mut Vec<u8>, tag: u8, key: &str, numbers: &[f64]) {
    let elements = numbers
        .iter()
        .map(|number| ([DOUBLE], number.to_le_bytes()));
    array(out, tag, key, elements, |_| 9);
}

/// Appends an array. Each element is the content of an `AnyValue`, and `length` returns its length.
#[inline(always)]
fn array<T: Encode>(
    out: &mut Vec<u8>,
    tag: u8,
    key: &str,
    elements: impl Iterator<Item = T> + Clone,
    length: impl Fn(&T) -> usize,
) {
    let inner = elements
        .clone()
        .map(|element| field_len(length(&element)))
        .sum();
    array_head(out, tag, key, inner);
    for element in elements {
        append(out, ([VALUES], Varint(length(&element) as u64), element));
    }
}

#[inline(never)]
fn strings(out: &mut Vec<u8>, tag: u8, key: &str, texts: StrArray<'_>, max_chars: usize) {
    let inner = texts
        .iter()
        .map(|text| field_len(field_len(cut(text, max_chars).len())))
        .sum();
    array_head(out, tag, key, inner);
    for text in texts {
        let text = cut(text, max_chars);
        let length = field_len(text.len());
        append(
            out,
            (
                [VALUES],
                Varint(length as u64),
                [STRING],
                Varint(text.len() as u64),
                text.as_bytes(),
            ),
        );
    }
}

/// Appends an attribute without the elements of its array, which take `inner` bytes.
fn array_head(out: &mut Vec<u8>, tag: u8, key: &str, inner: usize) {
    let value = field_len(inner);
    let head = ([VALUE], Varint(value as u64), [ARRAY], Varint(inner as u64));
    let whole = key_len(key) + field_len(value);
    let key = (!key.is_empty()).then_some(([KEY], Varint(key.len() as u64), key.as_bytes()));
    append(out, ([tag], Varint(whole as u64), key, head));
}

/// Returns the length of the field with the key, which is left out if it is empty.
fn key_len(key: &str) -> usize {
    if key.is_empty() {
        0
    } else {
        field_len(key.len())
    }
}

/// Returns the first `max_chars` characters of `text`.
pub(super) fn cut(text: &str, max_chars: usize) -> &str {
    // A character has at least one byte.
    if text.len() <= max_chars {
        return text;
    }
    match text.char_indices().nth(max_chars) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}
