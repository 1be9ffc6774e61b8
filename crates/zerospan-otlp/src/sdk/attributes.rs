use crate::attribute::encode_any_value;
use crate::wire::{Cursor, PendingAttribute};
use opentelemetry::{KeyValue, Value};

/// Appends attributes as the field `tag`. Returns the number of those with an unsupported value, which are left out.
#[inline(always)]
pub(super) fn encode_all(out: &mut Cursor<'_>, tag: u8, attributes: &[KeyValue]) -> u32 {
    let mut rest = attributes.iter();
    loop {
        let remaining = rest.as_slice();
        let Some(KeyValue { key, value, .. }) = rest.next() else {
            return 0;
        };
        if !encode_short(out, tag, key.as_str(), value) {
            // Takes all that follow, so that nothing returns into this loop, which then has the registers for itself.
            return out.with_buffer(|out| encode_rest(out, tag, remaining));
        }
    }
}

#[inline(never)]
fn encode_rest(out: &mut Vec<u8>, tag: u8, attributes: &[KeyValue]) -> u32 {
    let mut refused = 0_u32;
    let mut cursor = Cursor::new(out);
    for KeyValue { key, value, .. } in attributes {
        if !encode_short(&mut cursor, tag, key.as_str(), value) {
            let encode = |out: &mut Vec<u8>| encode_any_value(out, tag, key.as_str(), value);
            let outcome = cursor.with_buffer(encode);
            refused = refused.saturating_add(u32::from(outcome.is_err()));
        }
    }
    cursor.finish();
    refused
}

/// Appends an attribute. Appends nothing and returns `false` if the value is an array, if a length takes more than one byte, or if
/// there is no room.
#[inline(always)]
fn encode_short(out: &mut Cursor<'_>, tag: u8, key: &str, value: &Value) -> bool {
    match value {
        Value::String(text) => {
            out.append_text_attribute(tag, key.as_bytes(), text.as_str().as_bytes())
        }
        other => encode_scalar(out, tag, key, other),
    }
}

/// Tests for one variant after another, with other work in between. So each test is one comparison with memory, while a match on all
/// variants takes several steps.
#[inline(always)]
fn encode_scalar(out: &mut Cursor<'_>, tag: u8, key: &str, value: &Value) -> bool {
    let Some(attribute) = out.begin_attribute(tag, key.as_bytes()) else {
        return false;
    };
    match value {
        Value::I64(number) => attribute.finish_int(*number),
        other => return finish_bool_or_double(attribute, other),
    }
    true
}

#[inline(always)]
fn finish_bool_or_double(attribute: PendingAttribute<'_, '_>, value: &Value) -> bool {
    match value {
        Value::Bool(flag) => attribute.finish_bool(*flag),
        Value::F64(number) => attribute.finish_double(*number),
        _ => return false,
    }
    true
}
