//! One attribute: the field of a message that repeats `KeyValue`.

use crate::key::Key;
use crate::protobuf::{field_len, varint_len};
#[cfg(feature = "sdk")]
use crate::wire::{Cursor, Keyed};
use crate::wire::{Part, Varint, append};
#[cfg(feature = "sdk")]
use opentelemetry::KeyValue;
use opentelemetry::Value;
use zerospan_core::{AttributeValue, StrArray, UnsupportedValue};

/// The tags of the fields that repeat `KeyValue`, by message.
pub(crate) mod tag {
    /// `Span.attributes`, field 9.
    pub(crate) const SPAN: u8 = 0x4a;
    /// `Span.Event.attributes`, field 3.
    pub(crate) const EVENT: u8 = 0x1a;
    /// `Span.Link.attributes`, field 4.
    pub(crate) const LINK: u8 = 0x22;
    /// `Resource.attributes`, field 1.
    pub(crate) const RESOURCE: u8 = 0x0a;
    /// `InstrumentationScope.attributes`, field 3.
    pub(crate) const SCOPE: u8 = 0x1a;
}

/// No limit to the length of a string value.
pub(crate) const UNLIMITED: usize = usize::MAX;

/// Appends the field `tag` with `key` and `value`, whose strings are cut after `most_chars` characters.
///
/// # Errors
///
/// [`UnsupportedValue`]; then nothing is written.
#[inline(always)]
pub(crate) fn write<K: Key>(
    out: &mut Vec<u8>,
    tag: u8,
    key: K,
    value: AttributeValue<'_>,
    most_chars: usize,
) -> Result<(), UnsupportedValue> {
    match value {
        // A character has a byte at least.
        AttributeValue::Str(text) if text.len() <= most_chars => string(out, tag, key, text),
        AttributeValue::Str(text) => cut_string(out, tag, key.as_str(), text, most_chars),
        AttributeValue::I64(number) => {
            let number = number as u64;
            scalar(out, tag, key, 0x18, Varint(number), varint_len(number));
        }
        AttributeValue::F64(number) => scalar(out, tag, key, 0x21, number.to_le_bytes(), 8),
        AttributeValue::Bool(flag) => scalar(out, tag, key, 0x10, [u8::from(flag)], 1),
        AttributeValue::BoolArray(flags) => bools(out, tag, key.as_str(), flags),
        AttributeValue::I64Array(numbers) => integers(out, tag, key.as_str(), numbers),
        AttributeValue::F64Array(numbers) => floats(out, tag, key.as_str(), numbers),
        AttributeValue::StrArray(texts) => strings(out, tag, key.as_str(), texts, most_chars),
        _ => return Err(UnsupportedValue),
    }
    Ok(())
}

/// As [`write`], for a value of the API crate and without a limit: without a look at arrays, of which there are few.
///
/// # Errors
///
/// [`UnsupportedValue`]; then nothing is written.
#[inline(always)]
pub(crate) fn write_value(
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
        other => return write_other(out, tag, key, other),
    };
    write(out, tag, key, scalar, UNLIMITED)
}

/// As [`write_value`], for a list of attributes; returns how many of them cannot be written.
#[cfg(feature = "sdk")]
#[inline(always)]
pub(crate) fn write_all(out: &mut Cursor<'_>, tag: u8, attributes: &[KeyValue]) -> u32 {
    let mut rest = attributes.iter();
    loop {
        let remaining = rest.as_slice();
        let Some(KeyValue { key, value, .. }) = rest.next() else {
            return 0;
        };
        if !write_short(out, tag, key.as_str(), value) {
            // With all that follow, so that nothing returns into this loop, which has its registers for itself.
            return out.with(|out| write_rest(out, tag, remaining));
        }
    }
}

#[cfg(feature = "sdk")]
#[inline(never)]
fn write_rest(out: &mut Vec<u8>, tag: u8, attributes: &[KeyValue]) -> u32 {
    let mut refused = 0_u32;
    let mut cursor = Cursor::new(out);
    for KeyValue { key, value, .. } in attributes {
        if !write_short(&mut cursor, tag, key.as_str(), value) {
            let outcome = cursor.with(|out| write_other(out, tag, key.as_str(), value));
            refused = refused.saturating_add(u32::from(outcome.is_err()));
        }
    }
    cursor.finish();
    refused
}

/// `false`, and nothing is written, if the value is an array, if a length takes more than one byte, or if there is no room.
#[cfg(feature = "sdk")]
#[inline(always)]
fn write_short(out: &mut Cursor<'_>, tag: u8, key: &str, value: &Value) -> bool {
    match value {
        Value::String(text) => out.text_attribute(tag, key.as_bytes(), text.as_str().as_bytes()),
        other => write_scalar(out, tag, key, other),
    }
}

/// One kind of value is asked for after another, with something done in between: so that each is one comparison with what
/// stands in memory, where it takes a few steps to tell all of them apart.
#[cfg(feature = "sdk")]
#[inline(always)]
fn write_scalar(out: &mut Cursor<'_>, tag: u8, key: &str, value: &Value) -> bool {
    let Some(keyed) = out.key(tag, key.as_bytes()) else {
        return false;
    };
    match value {
        Value::I64(number) => keyed.integer(*number),
        other => return write_flag_or_double(keyed, other),
    }
    true
}

#[cfg(feature = "sdk")]
#[inline(always)]
fn write_flag_or_double(keyed: Keyed<'_, '_>, value: &Value) -> bool {
    match value {
        Value::Bool(flag) => keyed.boolean(*flag),
        Value::F64(number) => keyed.double(*number),
        _ => return false,
    }
    true
}

#[inline(never)]
fn write_other(
    out: &mut Vec<u8>,
    tag: u8,
    key: &str,
    value: &Value,
) -> Result<(), UnsupportedValue> {
    write(out, tag, key, value.into(), UNLIMITED)
}

/// A value of at most 10 bytes.
#[inline(always)]
fn scalar<K: Key>(out: &mut Vec<u8>, tag: u8, key: K, kind: u8, value: impl Part, length: usize) {
    let head = [0x12, 1 + length as u8, kind];
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

/// Apart, so that the length of a constant text stays one.
#[inline(never)]
fn cut_string(out: &mut Vec<u8>, tag: u8, key: &str, text: &str, most_chars: usize) {
    string(out, tag, key, cut(text, most_chars));
}

/// The value's tag and length, the text's tag and length, each of which takes one byte.
#[inline(always)]
fn text_head(text: &str) -> [u8; 4] {
    // As a sum, since no byte overflows into the next.
    (0x000a_0212 + text.len() as u32 * 0x0100_0100).to_le_bytes()
}

/// Apart, so that what calls it for the rare cases is short.
#[cold]
#[inline(never)]
fn long_scalar(out: &mut Vec<u8>, tag: u8, key: &str, length: usize, value: impl Part) {
    long(out, tag, key, length, value);
}

#[inline(never)]
fn long_string(out: &mut Vec<u8>, tag: u8, key: &str, text: &str) {
    let inner = field_len(text.len());
    let value = (
        [0x12],
        Varint(inner as u64),
        [0x0a],
        Varint(text.len() as u64),
        text.as_bytes(),
    );
    long(out, tag, key, field_len(inner), value);
}

/// Any attribute: `value` is the field with the value, of `length` bytes.
#[inline(always)]
fn long(out: &mut Vec<u8>, tag: u8, key: &str, length: usize, value: impl Part) {
    let whole = key_len(key) + length;
    let key = (!key.is_empty()).then_some(([0x0a], Varint(key.len() as u64), key.as_bytes()));
    append(out, ([tag], Varint(whole as u64), key, value));
}

#[inline(never)]
fn bools(out: &mut Vec<u8>, tag: u8, key: &str, flags: &[bool]) {
    let elements = flags.iter().map(|flag| [0x10, u8::from(*flag)]);
    array(out, tag, key, elements, |_| 2);
}

#[inline(never)]
fn integers(out: &mut Vec<u8>, tag: u8, key: &str, numbers: &[i64]) {
    let elements = numbers
        .iter()
        .map(|number| ([0x18], Varint(*number as u64)));
    array(out, tag, key, elements, |(_, Varint(number))| {
        1 + varint_len(*number)
    });
}

#[inline(never)]
fn floats(out: &mut Vec<u8>, tag: u8, key: &str, numbers: &[f64]) {
    let elements = numbers.iter().map(|number| ([0x21], number.to_le_bytes()));
    array(out, tag, key, elements, |_| 9);
}

/// An array, whose elements are the contents of an `AnyValue` each, of `length` bytes.
#[inline(always)]
fn array<P: Part>(
    out: &mut Vec<u8>,
    tag: u8,
    key: &str,
    elements: impl Iterator<Item = P> + Clone,
    length: impl Fn(&P) -> usize,
) {
    let inner = elements
        .clone()
        .map(|element| field_len(length(&element)))
        .sum();
    array_head(out, tag, key, inner);
    for element in elements {
        append(out, ([0x0a], Varint(length(&element) as u64), element));
    }
}

#[inline(never)]
fn strings(out: &mut Vec<u8>, tag: u8, key: &str, texts: StrArray<'_>, most_chars: usize) {
    let inner = texts
        .iter()
        .map(|text| field_len(field_len(cut(text, most_chars).len())))
        .sum();
    array_head(out, tag, key, inner);
    for text in texts {
        let text = cut(text, most_chars);
        let length = field_len(text.len());
        append(
            out,
            (
                [0x0a],
                Varint(length as u64),
                [0x0a],
                Varint(text.len() as u64),
                text.as_bytes(),
            ),
        );
    }
}

/// All of an attribute but the elements of its array, which take `inner` bytes.
fn array_head(out: &mut Vec<u8>, tag: u8, key: &str, inner: usize) {
    let value = field_len(inner);
    let head = ([0x12], Varint(value as u64), [0x2a], Varint(inner as u64));
    let whole = key_len(key) + field_len(value);
    let key = (!key.is_empty()).then_some(([0x0a], Varint(key.len() as u64), key.as_bytes()));
    append(out, ([tag], Varint(whole as u64), key, head));
}

/// The bytes of the field with the key, which is left out if it is empty.
fn key_len(key: &str) -> usize {
    if key.is_empty() {
        0
    } else {
        field_len(key.len())
    }
}

/// Whether the attribute that begins at `start` in `area`, written by this module, has the key `key`.
#[inline]
pub(crate) fn key_is(area: &[u8], start: usize, key: &str) -> bool {
    let behind = |at: usize| {
        let length = area.get(at..)?.iter().position(|byte| *byte < 0x80)?;
        Some(at + length + 1)
    };
    // Behind the attribute's tag and length, then behind the key's, which says where the key ends.
    let Some(key_tag) = behind(start + 1) else {
        return false;
    };
    if area.get(key_tag) != Some(&0x0a) {
        return key.is_empty();
    }
    let Some(at) = behind(key_tag + 1) else {
        return false;
    };
    let mut length = 0_usize;
    for (place, byte) in area[key_tag + 1..at].iter().enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * place);
    }
    length == key.len() && area.get(at..at + length) == Some(key.as_bytes())
}

/// The first `most_chars` characters of `text`.
fn cut(text: &str, most_chars: usize) -> &str {
    // A character has a byte at least.
    if text.len() <= most_chars {
        return text;
    }
    match text.char_indices().nth(most_chars) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}
