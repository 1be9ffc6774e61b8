//! Writes into a bounded buffer: all of a text, or as much as fits.

use crate::error::InlineError;
use crate::text::pieces::TextError;
use arrayvec::ArrayString;
use std::fmt::{self, Write};

/// Removes the text written after the first `before` bytes, and converts the error.
#[cold]
pub(crate) fn rollback<const N: usize>(
    buffer: &mut ArrayString<N>,
    before: usize,
    error: TextError,
) -> InlineError {
    buffer.truncate(before);
    match error {
        TextError::Output => InlineError::TextFull {
            remaining: N - before,
            capacity: N,
        },
        TextError::Display => InlineError::Format,
    }
}

/// Writes whole characters until one does not fit, and omits the rest.
pub(crate) struct TruncatingWriter<'a, const N: usize> {
    buffer: &'a mut ArrayString<N>,
    omitted: usize,
}

impl<'a, const N: usize> TruncatingWriter<'a, N> {
    pub(crate) fn new(buffer: &'a mut ArrayString<N>) -> Self {
        Self { buffer, omitted: 0 }
    }

    /// Returns the number of omitted bytes.
    pub(crate) fn omitted(self) -> usize {
        self.omitted
    }
}

impl<const N: usize> Write for TruncatingWriter<'_, N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let fits = if self.omitted == 0 {
            whole_characters(text, self.buffer.remaining_capacity())
        } else {
            0
        };
        let (head, tail) = text.split_at(fits);
        self.buffer.push_str(head);
        self.omitted = self.omitted.saturating_add(tail.len());
        Ok(())
    }
}

/// Returns the length of the longest prefix of `text` that has at most `room` bytes and ends at a character boundary.
fn whole_characters(text: &str, room: usize) -> usize {
    let mut end = room.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    end
}
