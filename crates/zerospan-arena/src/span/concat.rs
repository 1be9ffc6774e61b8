use super::arena::SpanAttributeArena;
use crate::error::LimitError;
use crate::text::TextPieces;
use bumpalo::collections::String as BumpString;

impl SpanAttributeArena {
    /// Concatenates the pieces in the arena: strings, numbers, booleans, characters.
    ///
    /// # Examples
    ///
    /// ```
    /// use zerospan_arena::SpanAttributeArena;
    ///
    /// let arena = SpanAttributeArena::new();
    /// assert_eq!(arena.concat(("user_", 42)), "user_42");
    /// ```
    ///
    /// # Panics
    ///
    /// If [`try_concat`](Self::try_concat) returns an error.
    #[inline]
    #[track_caller]
    pub fn concat(&self, pieces: impl TextPieces) -> &str {
        match self.try_concat(pieces) {
            Ok(text) => text,
            Err(error) => error.panic(),
        }
    }

    /// Concatenates the pieces as [`concat`](Self::concat) does.
    ///
    /// # Errors
    ///
    /// As [`try_alloc_str`](Self::try_alloc_str).
    #[inline]
    pub fn try_concat(&self, pieces: impl TextPieces) -> Result<&str, LimitError> {
        pieces.with_pieces(|pieces| {
            let mut text = self.text_with_capacity(length(pieces))?;
            append(&mut text, pieces);
            Ok(text.into_bump_str())
        })
    }

    /// Concatenates two texts side by side, with one allocation.
    #[inline]
    pub(crate) fn try_concat_pair(
        &self,
        first: impl TextPieces,
        second: impl TextPieces,
    ) -> Result<(&str, &str), LimitError> {
        first.with_pieces(|first| {
            second.with_pieces(|second| {
                let middle = length(first);
                let mut text = self.text_with_capacity(middle.saturating_add(length(second)))?;
                append(&mut text, first);
                append(&mut text, second);
                Ok(text.into_bump_str().split_at(middle))
            })
        })
    }

    /// Builds an empty text with room for `length` bytes.
    // Always inlined, here and below: for a known number of pieces the loops unroll, which halves the time of a text.
    #[inline(always)]
    fn text_with_capacity(&self, length: usize) -> Result<BumpString<'_>, LimitError> {
        // First, since `with_capacity_in` panics if the arena has no room.
        self.try_reserve(length)?;
        Ok(BumpString::with_capacity_in(length, self.bump()))
    }

    /// Joins the strings in the arena, with `separator` between each two.
    ///
    /// # Examples
    ///
    /// ```
    /// use zerospan_arena::SpanAttributeArena;
    ///
    /// let arena = SpanAttributeArena::new();
    /// assert_eq!(arena.join(&["a", "b", "c"], ", "), "a, b, c");
    /// ```
    ///
    /// # Panics
    ///
    /// If [`try_join`](Self::try_join) returns an error.
    #[track_caller]
    pub fn join<S: AsRef<str>>(&self, strings: &[S], separator: &str) -> &str {
        match self.try_join(strings, separator) {
            Ok(text) => text,
            Err(error) => error.panic(),
        }
    }

    /// Joins the strings as [`join`](Self::join) does.
    ///
    /// # Errors
    ///
    /// As [`try_alloc_str`](Self::try_alloc_str).
    pub fn try_join<S: AsRef<str>>(
        &self,
        strings: &[S],
        separator: &str,
    ) -> Result<&str, LimitError> {
        let separators = separator
            .len()
            .saturating_mul(strings.len().saturating_sub(1));
        let length = strings.iter().fold(separators, |sum, string| {
            sum.saturating_add(string.as_ref().len())
        });
        let mut text = self.writer(length)?;
        for (index, string) in strings.iter().enumerate() {
            if index > 0 {
                text.push(separator)?;
            }
            // Grows the text if `as_ref` returns a longer one than before.
            text.push(string.as_ref())?;
        }
        Ok(text.finish())
    }
}

/// Returns the total length of the pieces, saturated at `usize::MAX`, which no arena accepts.
#[inline(always)]
fn length(pieces: &[&str]) -> usize {
    pieces
        .iter()
        .fold(0, |sum, piece| sum.saturating_add(piece.len()))
}

#[inline(always)]
fn append(text: &mut BumpString<'_>, pieces: &[&str]) {
    for piece in pieces {
        text.push_str(piece);
    }
}
