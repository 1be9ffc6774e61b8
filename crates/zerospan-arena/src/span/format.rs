use super::arena::SpanAttributeArena;
use crate::error::{FormatError, LimitError};
use bumpalo::collections::String as BumpString;
use std::fmt::{self, Write};

/// The first capacity of formatted text: enough for typical names and values.
const FIRST_CAPACITY: usize = 32;

impl SpanAttributeArena {
    /// Formats text into the arena, without a `String` in between.
    ///
    /// For strings and numbers, [`concat`](Self::concat) is several times as fast: it knows the length beforehand and does
    /// not use `core::fmt`. Text that exceeds 32 bytes may leave up to about twice its length unused in the arena.
    ///
    /// # Examples
    ///
    /// ```
    /// use zerospan_arena::SpanAttributeArena;
    ///
    /// let arena = SpanAttributeArena::new();
    /// let id = 0xbeef;
    /// assert_eq!(arena.format(format_args!("{id:#06x}")), "0xbeef");
    /// ```
    ///
    /// # Panics
    ///
    /// If [`try_format`](Self::try_format) returns an error, or a `Display` implementation panics. The arena stays usable;
    /// the unfinished text occupies it until the next reset.
    #[track_caller]
    pub fn format(&self, arguments: fmt::Arguments<'_>) -> &str {
        match self.try_format(arguments) {
            Ok(text) => text,
            Err(FormatError::Limit(error)) => error.panic(),
            Err(error) => panic!("{error}"),
        }
    }

    /// Formats text as [`format`](Self::format) does.
    ///
    /// # Errors
    ///
    /// [`FormatError::Limit`] as [`try_alloc_str`](Self::try_alloc_str), [`FormatError::Display`] if an implementation of
    /// `Display` or `Debug` returned an error.
    pub fn try_format(&self, arguments: fmt::Arguments<'_>) -> Result<&str, FormatError> {
        if let Some(text) = arguments.as_str() {
            return Ok(self.try_alloc_str(text)?);
        }
        let mut text = self.writer(FIRST_CAPACITY.min(self.bump().chunk_capacity()))?;
        match text.write_fmt(arguments) {
            Ok(()) => Ok(text.finish()),
            Err(fmt::Error) => Err(text.error.map_or(FormatError::Display, FormatError::Limit)),
        }
    }

    /// Builds an empty text with room for `capacity` bytes, which grows.
    pub(crate) fn writer(&self, capacity: usize) -> Result<Writer<'_>, LimitError> {
        self.try_reserve(capacity)?;
        Ok(Writer {
            arena: self,
            text: BumpString::with_capacity_in(capacity, self.bump()),
            error: None,
        })
    }
}

/// Unfinished text at the end of the arena.
pub(crate) struct Writer<'a> {
    arena: &'a SpanAttributeArena,
    text: BumpString<'a>,
    /// The error of the arena, which `fmt::Error` cannot carry.
    error: Option<LimitError>,
}

impl<'a> Writer<'a> {
    #[inline]
    pub(crate) fn push(&mut self, piece: &str) -> Result<(), LimitError> {
        if self.text.capacity() - self.text.len() < piece.len() {
            self.grow(piece.len())?;
        }
        self.text.push_str(piece);
        Ok(())
    }

    /// Reserves room for `additional` bytes: for twice the text if the arena has that much, else for exactly these.
    #[cold]
    fn grow(&mut self, additional: usize) -> Result<(), LimitError> {
        let length = self.text.len();
        let needed = length.saturating_add(additional);
        let doubled = needed.max(length.saturating_mul(2)).max(FIRST_CAPACITY);
        let capacity = match self.arena.try_reserve(doubled) {
            Ok(()) => doubled,
            Err(_) => self.arena.try_reserve(needed).map(|()| needed)?,
        };
        // Cannot fail: within the room just reserved, even if the text moves.
        self.text.reserve_exact(capacity - length);
        Ok(())
    }

    /// Returns the text, and its unused capacity to the arena if that takes only a short copy.
    pub(crate) fn finish(mut self) -> &'a str {
        self.text.shrink_to_fit();
        self.text.into_bump_str()
    }
}

impl Write for Writer<'_> {
    #[inline]
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        self.push(piece).map_err(|error| {
            self.error.get_or_insert(error);
            fmt::Error
        })
    }
}
