//! How text gets into a fixed area: all of it, or as much as fits.

use crate::InlineError;
use arrayvec::ArrayString;
use std::fmt::{self, Write};

/// Takes each piece whole, or fails.
pub(crate) struct Whole<'a, const N: usize> {
    area: &'a mut ArrayString<N>,
    /// That a piece did not fit is kept here too: a `Display` may swallow the error.
    full: bool,
}

impl<'a, const N: usize> Whole<'a, N> {
    #[inline(always)]
    pub(crate) fn new(area: &'a mut ArrayString<N>) -> Self {
        Self { area, full: false }
    }

    /// How long the text in the area is.
    #[inline(always)]
    pub(crate) fn end(&self) -> usize {
        self.area.len()
    }

    /// Says whether everything was written since the area's text was `before` bytes long; takes it back if not.
    #[inline(always)]
    pub(crate) fn finish(self, before: usize, outcome: fmt::Result) -> Result<(), InlineError> {
        if outcome.is_ok() && !self.full {
            return Ok(());
        }
        Err(take_back(self.area, before, self.full))
    }
}

#[cold]
fn take_back<const N: usize>(area: &mut ArrayString<N>, before: usize, full: bool) -> InlineError {
    area.truncate(before);
    if full {
        InlineError::TextFull {
            left: N - before,
            capacity: N,
        }
    } else {
        InlineError::Format
    }
}

impl<const N: usize> Write for Whole<'_, N> {
    #[inline(always)]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.area.try_push_str(text).map_err(|_| {
            self.full = true;
            fmt::Error
        })
    }

    #[inline(always)]
    fn write_char(&mut self, character: char) -> fmt::Result {
        self.area.try_push(character).map_err(|_| {
            self.full = true;
            fmt::Error
        })
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
