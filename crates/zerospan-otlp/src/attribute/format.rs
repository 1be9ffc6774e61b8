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
        self.set_written(key, |text| {
            // An error is one of the value's own: what it wrote before is kept.
            let _ = text.write_fmt(value);
        });
    }

    /// Sets `key` to the text that `write` writes, in place. Drops and counts an attribute that is beyond the limits, and does not
    /// call `write` then, if the limit is that of their number.
    ///
    /// For text that is written without `core::fmt`, which takes several times as long for numbers and addresses. If `write` returns
    /// an error, what it wrote before is kept.
    ///
    /// # Panics
    ///
    /// Panics if `write` does. The attribute is then dropped and counted.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::fmt::Write;
    /// use zerospan_otlp::{SpanRecorder, StaticKey};
    ///
    /// const PATH: StaticKey = StaticKey::new("url.path");
    ///
    /// let mut span = SpanRecorder::new();
    /// span.set_text_with(&PATH, |text| {
    ///     for segment in ["users", "42"] {
    ///         text.write_char('/')?;
    ///         text.write_str(segment)?;
    ///     }
    ///     std::fmt::Result::Ok(())
    /// });
    /// assert_eq!(span.attribute("url.path").and_then(|path| path.as_str()), Some("/users/42"));
    /// ```
    #[inline]
    pub fn set_text_with<'k, E>(
        &mut self,
        key: impl Into<HashedKey<'k>>,
        write: impl FnOnce(&mut TextWriter<'_>) -> Result<(), E>,
    ) {
        self.set_written(key.into(), |text| {
            // What was written before an error is kept.
            let _ = write(text);
        });
    }

    #[inline(always)]
    fn set_written(&mut self, key: HashedKey<'_>, write: impl FnOnce(&mut TextWriter<'_>)) {
        let (tag, max_chars) = (self.tag, self.max_chars);
        self.set_with(key, |out| {
            let start = out.len();
            match key.with_text(tag, &[]) {
                // The usual key.
                Some((key, _)) => append(out, (key, [VALUE, 0, STRING, 0])),
                None => {
                    let key = text(KEY, key.as_str());
                    append(out, ([tag, 0], key, [VALUE, 0, STRING, 0]));
                }
            }
            let end = out.len();
            write(&mut TextWriter { out, max_chars });
            close_short(out, [start + 1, end - 3, end - 1]);
            Ok(())
        });
    }

    /// Sets `key` to what `encode` appends: a whole attribute with that key. Does not call it if the attribute is beyond the
    /// limit.
    #[inline]
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

/// Appends the field `tag` with the text of `value`.
#[inline]
pub(crate) fn encode_formatted(out: &mut Vec<u8>, tag: u8, value: fmt::Arguments<'_>) {
    encode_written(out, tag, |text| text.write_fmt(value));
}

/// Appends the field `tag` with the text that `write` writes. What it writes before an error is kept.
#[inline]
pub(crate) fn encode_written<E>(
    out: &mut Vec<u8>,
    tag: u8,
    write: impl FnOnce(&mut TextWriter<'_>) -> Result<(), E>,
) {
    append(out, [tag, 0, STRING, 0]);
    let end = out.len();
    let _ = write(&mut TextWriter {
        out,
        max_chars: UNLIMITED,
    });
    close_short(out, [end - 3, end - 1]);
}

/// Writes the text of an attribute or a body, up to the limit of its length. What is beyond the limit is left out, which is no error.
///
/// Allocates only to grow the memory of the recorder.
#[derive(Debug)]
pub struct TextWriter<'a> {
    out: &'a mut Vec<u8>,
    max_chars: usize,
}

impl Write for TextWriter<'_> {
    #[inline(always)]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.max_chars == UNLIMITED {
            append(self.out, text.as_bytes());
        } else {
            self.write_cut(text);
        }
        Ok(())
    }

    #[inline(always)]
    fn write_char(&mut self, character: char) -> fmt::Result {
        match u8::try_from(character) {
            Ok(byte @ ..0x80) if self.max_chars == UNLIMITED => {
                append(self.out, [byte]);
                Ok(())
            }
            _ => self.write_str(character.encode_utf8(&mut [0; 4])),
        }
    }
}

impl TextWriter<'_> {
    #[cold]
    #[inline(never)]
    fn write_cut(&mut self, text: &str) {
        let text = cut(text, self.max_chars);
        self.max_chars -= text.chars().count();
        append(self.out, text.as_bytes());
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

#[cfg(test)]
mod tests {
    use crate::{SpanLimits, SpanRecorder, StaticKey};
    use proptest::prelude::*;
    use std::fmt::{self, Write};
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use zerospan_core::Reset;

    const KEYS: [StaticKey; 4] = [
        StaticKey::new("a"),
        StaticKey::new(
            "a.key.that.is.longer.than.what.the.ready.form.has.room.for.in.its.sixty.bytes",
        ),
        StaticKey::new(""),
        StaticKey::new("http.route"),
    ];

    fn attributes(span: &SpanRecorder) -> (Vec<(String, String)>, u32) {
        let text = span
            .attributes()
            .map(|attribute| (attribute.key.to_owned(), format!("{:?}", attribute.value)));
        (text.collect(), span.dropped_attributes())
    }

    proptest! {
        #[test]
        fn a_text_that_is_written_in_place_is_the_one_that_is_set_as_a_whole(
            values in proptest::collection::vec(
                (0..KEYS.len(), proptest::collection::vec("[a-zäß€𝄞]{0,90}", 0..4)),
                0..12,
            ),
            max_attributes in 0_u32..5,
            max_chars in proptest::option::of(0_u32..200),
        ) {
            let limits = SpanLimits {
                max_attributes_per_span: max_attributes,
                max_attribute_value_length: max_chars,
                ..SpanLimits::default()
            };
            let mut whole = SpanRecorder::with_limits(limits);
            let mut formatted = SpanRecorder::with_limits(limits);
            let mut written = SpanRecorder::with_limits(limits);
            for _ in 0..2 {
                for (key, pieces) in &values {
                    let key = &KEYS[*key];
                    whole.set(key, &*pieces.concat());
                    formatted.set_fmt(key, format_args!("{}", Pieces(pieces)));
                    written.set_text_with(key, |text| {
                        let mut pieces = pieces.iter();
                        pieces.next().map_or(Ok(()), |piece| text.write_str(piece))?;
                        pieces.flat_map(|piece| piece.chars()).try_for_each(|character| text.write_char(character))
                    });
                }
                let expected = attributes(&whole);
                prop_assert_eq!(attributes(&formatted), expected.clone());
                prop_assert_eq!(attributes(&written), expected);
                for span in [&mut whole, &mut formatted, &mut written] {
                    span.reset();
                }
            }
        }
    }

    struct Pieces<'a>(&'a [String]);

    impl fmt::Display for Pieces<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.iter().try_for_each(|piece| f.write_str(piece))
        }
    }

    #[test]
    fn of_a_writer_that_fails_the_beginning_is_kept_and_one_that_panics_is_dropped_and_counted() {
        let mut span = SpanRecorder::new();
        span.set(&KEYS[0], "first");
        span.set_text_with(&KEYS[3], |text| {
            text.write_str("beginning").and(Err(fmt::Error))
        });
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            span.set_text_with(&KEYS[0], |text| -> fmt::Result {
                text.write_str("half of it")?;
                panic!("by intention");
            });
        }));
        assert!(outcome.is_err());
        let (held, dropped) = attributes(&span);
        assert_eq!(held.len(), 2);
        assert!(held[0].1.contains("first") && held[1].1.contains("beginning"));
        assert_eq!(dropped, 1);
    }
}
