//! Shared attribute sets: encoded once into the cache of the set, then copied into each span, event, link and log record.
//!
//! A cached encoding has the attributes of a span, then an entry for each with the hash of its key and its offset, then the
//! number of entries. All these numbers have 32 bits and are little-endian.

use super::encode::UNLIMITED;
use super::key_index::KeyIndex;
use super::writer::AttributeWriter;
use crate::protobuf::schema::span;
use zerospan_core::{AttributeSource, EncodingCache, EncodingFormat};

const FORMAT: EncodingFormat =
    EncodingFormat::new("opentelemetry.proto.trace.v1.Span.attributes, indexed by zerospan-otlp 1");

const ENTRY_LEN: usize = 8;

/// Sets all attributes of `source` from its cache. Returns `false` if they must be set one by one; nothing is set then.
///
/// That is the case if a value may have to be cut, if a limit applies, if a key has a value already, or if all values of a key
/// are kept and it has several.
pub(super) fn copy<S: AttributeSource + ?Sized>(
    writer: &mut AttributeWriter<'_>,
    source: &S,
    cache: &dyn EncodingCache,
) -> bool {
    if writer.max_chars != UNLIMITED {
        return false;
    }
    let Some(encoding) = cache.encoding(FORMAT, &mut |out| encode(source, out)) else {
        return false;
    };
    let Some((attributes, entries)) = split(encoding) else {
        return false;
    };
    let count = entries.len();
    // The encoding has the last value of each key alone.
    if writer.keys.keep_repeated && count != source.len() {
        return false;
    }
    if count == 0 || writer.keys.len() + count > writer.max_attributes as usize {
        return false;
    }
    let is_set = |entry: &[u8; ENTRY_LEN]| {
        let (hash, _) = read_entry(entry);
        writer.keys.find(hash, |_| true).is_some()
    };
    if writer.keys.len() > 0 && entries.iter().any(is_set) {
        return false;
    }
    let mut last = None;
    for entry in entries {
        let offset = Some(read_entry(entry).1 as usize);
        if offset <= last || offset >= Some(attributes.len()) {
            return false;
        }
        last = offset;
    }
    let start = writer.buffer.len();
    writer.buffer.extend_from_slice(attributes);
    for entry in entries {
        let (hash, offset) = read_entry(entry);
        let at = start + offset as usize;
        // An attribute of anything but a span has another tag, and the rest is the same.
        if writer.tag != span::tag::ATTRIBUTES
            && let Some(tag) = writer.buffer.get_mut(at)
        {
            *tag = writer.tag;
        }
        writer.keys.push(hash, at);
    }
    true
}

/// Encodes `source`. If an attribute is not supported, the encoding has no entries, so that each span drops and counts it.
fn encode<S: AttributeSource + ?Sized>(source: &S, out: &mut Vec<u8>) {
    let (mut buffer, mut keys, mut dropped) = (Vec::new(), KeyIndex::default(), 0);
    let mut writer = AttributeWriter {
        buffer: &mut buffer,
        keys: &mut keys,
        tag: span::tag::ATTRIBUTES,
        max_attributes: u32::MAX,
        max_chars: UNLIMITED,
        dropped: &mut dropped,
    };
    source.for_each(|attribute| writer.set_attribute(attribute));
    let mut count = keys.len() as u32;
    if dropped > 0 || u32::try_from(buffer.len()).is_err() {
        buffer.clear();
        count = 0;
    }
    out.reserve_exact(buffer.len() + ENTRY_LEN * count as usize + 4);
    out.extend_from_slice(&buffer);
    for entry in &keys.entries()[..count as usize] {
        out.extend_from_slice(&entry.hash.to_le_bytes());
        out.extend_from_slice(&(entry.start as u32).to_le_bytes());
    }
    out.extend_from_slice(&count.to_le_bytes());
}

/// Splits an encoding into the attributes and the entries.
fn split(encoding: &[u8]) -> Option<(&[u8], &[[u8; ENTRY_LEN]])> {
    let (rest, count) = encoding.split_last_chunk::<4>()?;
    let entries = ENTRY_LEN.checked_mul(u32::from_le_bytes(*count) as usize)?;
    let (attributes, entries) = rest.split_at_checked(rest.len().checked_sub(entries)?)?;
    Some((attributes, entries.as_chunks().0))
}

/// Returns the hash and the offset of an entry.
fn read_entry(entry: &[u8; ENTRY_LEN]) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = *entry;
    (
        u32::from_le_bytes([a, b, c, d]),
        u32::from_le_bytes([e, f, g, h]),
    )
}
