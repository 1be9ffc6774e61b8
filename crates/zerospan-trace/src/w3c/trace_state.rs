//! The header `tracestate`, by the grammar of the recommendation's second level. What the API crate's own reading lets pass
//! would be sent on: line breaks, other control characters, a key twice.

use opentelemetry::trace::TraceState;

/// How many members there may be.
const MOST: usize = 32;
/// How long a key or a value may be, in bytes.
const LONGEST: usize = 256;

/// The members of all headers, or none if one of them is malformed or there are too many.
pub(super) fn read<S: AsRef<[u8]>>(headers: impl IntoIterator<Item = S>) -> TraceState {
    let mut members = Vec::new();
    for header in headers {
        if add(header.as_ref(), &mut members).is_none() {
            return TraceState::NONE;
        }
    }
    // The API crate refuses some keys that are valid: those with several `@`, with more than 13 bytes behind it, or with
    // neither a letter nor a digit behind it.
    TraceState::from_key_value(members).unwrap_or_default()
}

fn add(header: &[u8], members: &mut Vec<(String, String)>) -> Option<()> {
    for member in header.split(|byte| *byte == b',') {
        let member = trimmed(member);
        if member.is_empty() {
            continue;
        }
        let end = member.iter().position(|byte| *byte == b'=')?;
        let (key, value) = (&member[..end], &member[end + 1..]);
        let is_held = members.iter().any(|(held, _)| held.as_bytes() == key);
        if !is_key(key) || !is_value(value) || is_held || members.len() == MOST {
            return None;
        }
        let text = |bytes: &[u8]| Some(std::str::from_utf8(bytes).ok()?.to_owned());
        members.push((text(key)?, text(value)?));
    }
    Some(())
}

/// Less the optional white space that HTTP allows around a header and the members of a list.
pub(super) fn trimmed(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

fn is_key(key: &[u8]) -> bool {
    let begins = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let goes_on = |byte: &u8| begins(*byte) || b"_-*/@".contains(byte);
    key.first().is_some_and(|first| begins(*first))
        && key.len() <= LONGEST
        && key.iter().all(goes_on)
}

/// Blanks are within it, and not at its end.
fn is_value(value: &[u8]) -> bool {
    let may_stand = |byte: &u8| matches!(byte, b' '..=b'~') && !b",=".contains(byte);
    value.last().is_some_and(|last| *last != b' ')
        && value.len() <= LONGEST
        && value.iter().all(may_stand)
}
