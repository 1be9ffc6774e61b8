//! How text gets into a fixed area: all of it, or as much as fits.

use crate::{InlineError, TextError};
use arrayvec::ArrayString;
use std::fmt::{self, Write};

/// Takes back what was written since the area's text was `before` bytes long, and says why.
#[cold]
pub(crate) fn take_back<const N: usize>(
    area: &mut ArrayString<N>,
    before: usize,
    error: TextError,
) -> InlineError {
    area.truncate(before);
    match error {
        TextError::Output => InlineError::TextFull {
            left: N - before,
            capacity: N,
        },
        TextError::Display => InlineError::Format,
    }
}

/// Takes whole characters until one does not fit, and nothing behind it.
pub(crate) struct Prefix<'a, const N: usize> {
    area: &'a mut ArrayString<N>,
    omitted: usize,
}

impl<'a, const N: usize> Prefix<'a, N> {
    pub(crate) fn new(area: &'a mut ArrayString<N>) -> Self {
        Self { area, omitted: 0 }
    }

    /// How many bytes did not fit.
    pub(crate) fn omitted(self) -> usize {
        self.omitted
    }
}

impl<const N: usize> Write for Prefix<'_, N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let fits = if self.omitted == 0 {
            whole_characters(text, self.area.remaining_capacity())
        } else {
            0
        };
        let (head, tail) = text.split_at(fits);
        self.area.push_str(head);
        self.omitted = self.omitted.saturating_add(tail.len());
        Ok(())
    }
}

/// How many bytes of `text`, at most `room`, end with a whole character.
fn whole_characters(text: &str, room: usize) -> usize {
    let mut end = room.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    end
}
