//! Values that are formatted in place.

use super::encode::{UNLIMITED, cut, key_is};
use super::key::{HashedKey, Key};
use super::writer::AttributeWriter;
use crate::protobuf::schema::any_value::tag::STRING;
use crate::protobuf::schema::key_value::tag::{KEY, VALUE};
use crate::wire::{append, close_short, text};
use std::fmt::{self, Write};
use std::mem;
use zerospan_core::{SinkError, UnsupportedValue};

impl AttributeWriter<'_> {
    /// Sets `key` to a text, which is formatted in place. Drops and counts an attribute that is beyond the limits.
    ///
    /// Of a text that cannot be formatted to its end, the beginning is kept.
    ///
    /// # Panics
    ///
    /// Panics if formatting panics. The attribute is then dropped and counted.
    ///
    /// # Examples
    ///
    /// ```
    /// use zerospan_otlp::{LogRecordRecorder, StaticKey};
    ///
    /// const PEER: StaticKey = StaticKey::new("network.peer");
    ///
    /// let mut record = LogRecordRecorder::new();
    /// let (host, port) = ("localhost", 4317);
    /// record.set_fmt(&PEER, format_args!("{host}:{port}"));
    /// ```
    pub fn set_fmt<'k>(&mut self, key: impl Into<HashedKey<'k>>, value: fmt::Arguments<'_>) {
        let key = key.into();
        if let Some(constant) = value.as_str() {
            return self.set_hashed(key, constant);
        }
        let (tag, max_chars) = (self.tag, self.max_chars);
        self.set_with(key, |out| {
            let start = out.len();
            let key = text(KEY, key.as_str());
            append(out, ([tag, 0], key, [VALUE, 0, STRING, 0]));
            let end = out.len();
            write(out, value, max_chars);
            close_short(out, [start + 1, end - 3, end - 1]);
            Ok(())
        });
    }

    /// Sets `key` to what `encode` appends: a whole attribute with that key. Does not call it if the attribute is beyond the
    /// limit.
    pub(super) fn set_with(
        &mut self,
        key: HashedKey<'_>,
        encode: impl FnOnce(&mut Vec<u8>) -> Result<(), UnsupportedValue>,
    ) {
        let buffer = &*self.buffer;
        let is_match = |start| key_is(buffer, start, key.as_str());
        let found = self.keys.find(key.hash(), |entry| is_match(entry.start));
        if found.is_none() && self.keys.len() as u64 >= u64::from(self.max_attributes) {
            let capacity = self.max_attributes as usize;
            self.count_dropped(SinkError::Full { capacity });
            return;
        }
        let start = self.buffer.len();
        let rollback = RollbackOnUnwind {
            start,
            buffer: self.buffer,
            dropped: self.dropped,
        };
        let outcome = encode(rollback.buffer);
        mem::forget(rollback);
        match (outcome, found) {
            (Err(error), _) => {
                self.count_dropped(error.into());
            }
            (Ok(()), Some(index)) => self.move_over(index, start),
            (Ok(()), None) => self.keys.push(key.hash(), start),
        }
    }
}

/// Appends the field `tag` with the text of `value`, cut after `max_chars` characters.
#[inline]
pub(crate) fn encode_formatted(
    out: &mut Vec<u8>,
    tag: u8,
    value: fmt::Arguments<'_>,
    max_chars: usize,
) {
    append(out, [tag, 0, STRING, 0]);
    let end = out.len();
    write(out, value, max_chars);
    close_short(out, [end - 3, end - 1]);
}

/// Appends the text of `value`, cut after `max_chars` characters.
#[inline]
fn write(out: &mut Vec<u8>, value: fmt::Arguments<'_>, max_chars: usize) {
    // An error is one of the value's own: what it wrote before is kept.
    let _ = if max_chars == UNLIMITED {
        Text(out).write_fmt(value)
    } else {
        CutText { out, max_chars }.write_fmt(value)
    };
}

/// Appends text.
struct Text<'a>(&'a mut Vec<u8>);

impl Write for Text<'_> {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// Appends text, up to a number of characters.
struct CutText<'a> {
    out: &'a mut Vec<u8>,
    max_chars: usize,
}

impl Write for CutText<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let text = cut(text, self.max_chars);
        self.max_chars -= text.chars().count();
        self.out.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// Removes an incomplete attribute when dropped, and counts it as dropped. Forgotten, unless formatting panics.
struct RollbackOnUnwind<'a> {
    start: usize,
    buffer: &'a mut Vec<u8>,
    dropped: &'a mut u32,
}

impl Drop for RollbackOnUnwind<'_> {
    #[cold]
    fn drop(&mut self) {
        self.buffer.truncate(self.start);
        *self.dropped = self.dropped.saturating_add(1);
    }
}
