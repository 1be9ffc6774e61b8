use crate::{FormatError, LimitError, SpanAttributeArena};
use bumpalo::collections::String as BumpString;
use std::fmt::{self, Write};

/// What formatted text begins with: room for most names and values.
const FIRST: usize = 32;

impl SpanAttributeArena {
    /// Formats into the arena, without a `String` in between.
    ///
    /// Where the pieces are strings and numbers, [`concat`](Self::concat) is several times as fast: it knows the length
    /// beforehand, and goes without `core::fmt`. Text that grows past its first 32 bytes may leave memory unused in the
    /// arena, at most about twice its length.
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
    /// Where [`try_format`](Self::try_format) returns an error, and where a `Display` implementation panics: the arena is
    /// then as usable as before, and the text begun is out of reach until the next reset.
    #[track_caller]
    pub fn format(&self, arguments: fmt::Arguments<'_>) -> &str {
        match self.try_format(arguments) {
            Ok(text) => text,
            Err(FormatError::Limit(error)) => error.panic(),
            Err(error) => panic!("{error}"),
        }
    }

    /// As [`format`](Self::format).
    ///
    /// # Errors
    ///
    /// [`FormatError::Limit`] as [`try_alloc_str`](Self::try_alloc_str), [`FormatError::Display`] if an implementation of
    /// `Display` or `Debug` returned an error.
    pub fn try_format(&self, arguments: fmt::Arguments<'_>) -> Result<&str, FormatError> {
        if let Some(text) = arguments.as_str() {
            return Ok(self.try_alloc_str(text)?);
        }
        let mut text = self.writer(FIRST.min(self.bump().chunk_capacity()))?;
        match text.write_fmt(arguments) {
            Ok(()) => Ok(text.finish()),
            Err(fmt::Error) => Err(text
                .refused
                .map_or(FormatError::Display, FormatError::Limit)),
        }
    }

    /// A text with room for `capacity` bytes, which grows as far as the arena does.
    pub(crate) fn writer(&self, capacity: usize) -> Result<Writer<'_>, LimitError> {
        self.try_reserve(capacity)?;
        Ok(Writer {
            arena: self,
            text: BumpString::with_capacity_in(capacity, self.bump()),
            refused: None,
        })
    }
}

/// Text that is being written, at the end of the arena.
pub(crate) struct Writer<'a> {
    arena: &'a SpanAttributeArena,
    text: BumpString<'a>,
    /// Why the arena refused to grow: `fmt::Error` cannot say.
    refused: Option<LimitError>,
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

    /// Makes room for `additional` bytes: for twice the text where the arena has that much, else for no more than these.
    #[cold]
    fn grow(&mut self, additional: usize) -> Result<(), LimitError> {
        let length = self.text.len();
        let needed = length.saturating_add(additional);
        let ample = needed.max(length.saturating_mul(2)).max(FIRST);
        let capacity = match self.arena.try_reserve(ample) {
            Ok(()) => ample,
            Err(_) => self.arena.try_reserve(needed).map(|()| needed)?,
        };
        // Within what was just reserved, wherever the text has to move to.
        self.text.reserve_exact(capacity - length);
        Ok(())
    }

    /// The text as written; what it has not used goes back to the arena where that takes but a short copy.
    pub(crate) fn finish(mut self) -> &'a str {
        self.text.shrink_to_fit();
        self.text.into_bump_str()
    }
}

impl Write for Writer<'_> {
    #[inline]
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        self.push(piece).map_err(|error| {
            self.refused.get_or_insert(error);
            fmt::Error
        })
    }
}
