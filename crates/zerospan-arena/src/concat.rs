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
        parts.with_parts(|parts| self.concat_all(parts))
    }

    #[inline]
    fn concat_all(&self, parts: &[&str]) -> Result<&str, LimitError> {
        // A sum beyond `usize::MAX` is refused like any other that is too large.
        let length = parts
            .iter()
            .fold(0_usize, |sum, part| sum.saturating_add(part.len()));
        self.try_reserve(length)?;
        let mut text = BumpString::with_capacity_in(length, self.bump());
        for part in parts {
            text.push_str(part);
        }
        Ok(text.into_bump_str())
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
