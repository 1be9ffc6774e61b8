use crate::{LimitError, Parts, SpanAttributeArena};
use bumpalo::collections::String as BumpString;

impl SpanAttributeArena {
    /// Writes the pieces one behind the other into the arena: strings, numbers, booleans, characters.
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
    /// Where [`try_concat`](Self::try_concat) returns an error.
    #[inline]
    #[track_caller]
    pub fn concat(&self, parts: impl Parts) -> &str {
        match self.try_concat(parts) {
            Ok(text) => text,
            Err(error) => error.panic(),
        }
    }

    /// As [`concat`](Self::concat).
    ///
    /// # Errors
    ///
    /// As [`try_alloc_str`](Self::try_alloc_str).
    #[inline]
    pub fn try_concat(&self, parts: impl Parts) -> Result<&str, LimitError> {
        parts.with_parts(|parts| {
            let mut text = self.text_of(length(parts))?;
            append(&mut text, parts);
            Ok(text.into_bump_str())
        })
    }

    /// Writes two texts side by side: the memory is asked for once.
    #[inline]
    pub(crate) fn try_concat_pair(
        &self,
        first: impl Parts,
        second: impl Parts,
    ) -> Result<(&str, &str), LimitError> {
        first.with_parts(|first| {
            second.with_parts(|second| {
                let middle = length(first);
                let mut text = self.text_of(middle.saturating_add(length(second)))?;
                append(&mut text, first);
                append(&mut text, second);
                Ok(text.into_bump_str().split_at(middle))
            })
        })
    }

    // Here and below `inline(always)`, measured: where the number of parts is known, their loops unroll, and a text takes
    // half the time.

    /// An empty text with room for `length` bytes. Asking for the room beforehand is what keeps it from panicking.
    #[inline(always)]
    fn text_of(&self, length: usize) -> Result<BumpString<'_>, LimitError> {
        self.try_reserve(length)?;
        Ok(BumpString::with_capacity_in(length, self.bump()))
    }

    /// Writes the strings into the arena, with `separator` between each two.
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
    /// Where [`try_join`](Self::try_join) returns an error.
    #[track_caller]
    pub fn join<S: AsRef<str>>(&self, strings: &[S], separator: &str) -> &str {
        match self.try_join(strings, separator) {
            Ok(text) => text,
            Err(error) => error.panic(),
        }
    }

    /// As [`join`](Self::join).
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
            // An `AsRef` that returns something longer the second time grows the text.
            text.push(string.as_ref())?;
        }
        Ok(text.finish())
    }
}

/// The length of all parts; a sum beyond `usize::MAX` is refused like any other that is too large.
#[inline(always)]
fn length(parts: &[&str]) -> usize {
    parts
        .iter()
        .fold(0, |sum, part| sum.saturating_add(part.len()))
}

#[inline(always)]
fn append(text: &mut BumpString<'_>, parts: &[&str]) {
    for part in parts {
        text.push_str(part);
    }
}
