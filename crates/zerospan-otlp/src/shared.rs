//! Shared attribute sets: encoded once, then copied.

use crate::attribute::{UNLIMITED, tag};
use crate::attributes::AttributeWriter;
use crate::key_index::KeyIndex;
use zerospan_core::{AttributeSource, EncodingCache, EncodingFormat};

/// The attributes of a span, then for each the hash of its key and where it begins, then how many there are: numbers of 32
/// bits, little-endian.
const FORMAT: EncodingFormat =
    EncodingFormat::new("opentelemetry.proto.trace.v1.Span.attributes, indexed by zerospan-otlp 1");

const ENTRY: usize = 8;

/// Sets all attributes of `source` from its cache; `false` if they have to be set one by one, with nothing set yet.
///
/// That is so where a value may have to be cut, a limit be applied or a key replaced, or the set is not for a span.
pub(crate) fn copy<S: AttributeSource + ?Sized>(
    into: &mut AttributeWriter<'_>,
    source: &S,
    cache: &dyn EncodingCache,
) -> bool {
    if into.tag != tag::SPAN || into.most_chars != UNLIMITED {
        return false;
    }
    let Some(encoding) = cache.encoding(FORMAT, &mut |out| encode(source, out)) else {
        return false;
    };
    let Some((attributes, entries)) = split(encoding) else {
        return false;
    };
    let count = entries.len();
    if count == 0 || into.keys.len() + count > into.most as usize {
        return false;
    }
    let taken = |entry: &[u8; ENTRY]| into.keys.find(halves(entry).0, |_| true).is_some();
    if into.keys.len() > 0 && entries.iter().any(taken) {
        return false;
    }
    let mut last = None;
    for entry in entries {
        let offset = Some(halves(entry).1 as usize);
        if offset <= last || offset >= Some(attributes.len()) {
            return false;
        }
        last = offset;
    }
    let start = into.area.len();
    into.area.extend_from_slice(attributes);
    for entry in entries {
        let (hash, offset) = halves(entry);
        into.keys.push(hash, start + offset as usize);
    }
    true
}

/// Leaves an encoding without entries where an attribute had to be refused: each span then refuses, and counts, it anew.
fn encode<S: AttributeSource + ?Sized>(source: &S, out: &mut Vec<u8>) {
    let (mut area, mut keys, mut dropped) = (Vec::new(), KeyIndex::default(), 0);
    AttributeWriter {
        area: &mut area,
        keys: &mut keys,
        tag: tag::SPAN,
        most: u32::MAX,
        most_chars: UNLIMITED,
        dropped: &mut dropped,
    }
    .extend_one_by_one(source);
    let mut count = keys.len() as u32;
    if dropped > 0 || u32::try_from(area.len()).is_err() {
        area.clear();
        count = 0;
    }
    out.reserve_exact(area.len() + ENTRY * count as usize + 4);
    out.extend_from_slice(&area);
    for entry in &keys.entries()[..count as usize] {
        out.extend_from_slice(&entry.hash.to_le_bytes());
        out.extend_from_slice(&(entry.start as u32).to_le_bytes());
    }
    out.extend_from_slice(&count.to_le_bytes());
}

fn split(encoding: &[u8]) -> Option<(&[u8], &[[u8; ENTRY]])> {
    let (rest, count) = encoding.split_last_chunk::<4>()?;
    let entries = ENTRY.checked_mul(u32::from_le_bytes(*count) as usize)?;
    let (attributes, entries) = rest.split_at_checked(rest.len().checked_sub(entries)?)?;
    Some((attributes, entries.as_chunks().0))
}

fn halves(entry: &[u8; ENTRY]) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = *entry;
    (
        u32::from_le_bytes([a, b, c, d]),
        u32::from_le_bytes([e, f, g, h]),
    )
}
