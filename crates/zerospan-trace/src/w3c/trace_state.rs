//! The header `tracestate`, by the grammar of Level 2 of the recommendation. The API crate's own parser accepts line breaks,
//! other control characters and repeated keys, which would be sent on.

use opentelemetry::trace::TraceState;

/// The maximum number of members.
const MAX_MEMBERS: usize = 32;
/// The maximum length of a key or a value, in bytes.
const MAX_LENGTH: usize = 256;

/// Returns the members of all headers, or none if one is malformed or there are too many.
pub(super) fn read<S: AsRef<[u8]>>(headers: impl IntoIterator<Item = S>) -> TraceState {
    let mut members = Vec::new();
    for header in headers {
        if add(header.as_ref(), &mut members).is_none() {
            return TraceState::NONE;
        }
    }
    if members.is_empty() {
        return TraceState::NONE;
    }
    // The API crate rejects some valid keys: those with several `@`, and those with more than 13 bytes, or with neither a
    // letter nor a digit, after it.
    TraceState::from_key_value(members).unwrap_or_default()
}

fn add(header: &[u8], members: &mut Vec<(String, String)>) -> Option<()> {
    for member in header.split(|byte| *byte == b',') {
        let member = trim(member);
        if member.is_empty() {
            continue;
        }
        let end = member.iter().position(|byte| *byte == b'=')?;
        let (key, value) = (&member[..end], &member[end + 1..]);
        let is_repeated = members.iter().any(|(held, _)| held.as_bytes() == key);
        if !is_key(key) || !is_value(value) || is_repeated || members.len() == MAX_MEMBERS {
            return None;
        }
        let text = |bytes: &[u8]| Some(std::str::from_utf8(bytes).ok()?.to_owned());
        members.push((text(key)?, text(value)?));
    }
    Some(())
}

/// Strips the optional white space that HTTP allows around a header and the members of a list.
pub(super) fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

fn is_key(key: &[u8]) -> bool {
    let may_start = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let may_follow = |byte: &u8| may_start(*byte) || b"_-*/@".contains(byte);
    key.first().is_some_and(|first| may_start(*first))
        && key.len() <= MAX_LENGTH
        && key.iter().all(may_follow)
}

/// Allows spaces, but not at the end.
fn is_value(value: &[u8]) -> bool {
    let is_allowed = |byte: &u8| matches!(byte, b' '..=b'~') && !b",=".contains(byte);
    value.last().is_some_and(|last| *last != b' ')
        && value.len() <= MAX_LENGTH
        && value.iter().all(is_allowed)
}
