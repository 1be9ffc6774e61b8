use super::arena::SpanAttributeArena;
use super::set::AttributeSet;
use crate::error::{LimitError, PushError};
use crate::text::TextPieces;
use bumpalo::collections::Vec as BumpVec;
use std::fmt;
use zerospan_core::{
    AsAttribute, Attribute, AttributeSink, AttributeSource, AttributeValue, ExtendError, SinkError,
};

/// Limits the room reserved for a size hint: the hint may be wrong.
const MAX_RESERVED: usize = 256;

/// A growing set of attributes, with keys, values and list in one arena.
///
/// Accepts attributes of every kind: with [`try_push`](Self::try_push), with
/// [`try_push_borrowed`](Self::try_push_borrowed) without a copy, and as an [`AttributeSink`] from any source. It is an
/// [`AttributeSource`] itself; [`finish`](Self::finish) turns it into an [`AttributeSet`], which is `Copy` and `Send`.
///
/// A list that exceeds its capacity moves, and its former memory stays unused until the next reset: pass the number of
/// attributes if it is known.
///
/// # Examples
///
/// ```
/// use zerospan_arena::SpanAttributeArena;
/// use zerospan_core::AttributeSource;
///
/// let arena = SpanAttributeArena::new();
/// let mut set = arena.attributes(3);
/// set.try_push("http.response.status_code", 200)?;
/// set.try_push("server.address", "a.example")?;
/// set.try_push_borrowed("user.id", arena.concat(("user_", 42)))?;
/// assert_eq!(set.len(), 3);
/// # Ok::<(), zerospan_arena::PushError>(())
/// ```
///
/// It is not `Send`, since it borrows the arena; an [`AttributeSet`] is.
///
/// ```compile_fail,E0277
/// fn assert_send<T: Send>() {}
/// assert_send::<zerospan_arena::ArenaAttributes<'_>>();
/// ```
pub struct ArenaAttributes<'a> {
    arena: &'a SpanAttributeArena,
    list: BumpVec<'a, Attribute<'a>>,
}

impl<'a> ArenaAttributes<'a> {
    #[inline]
    pub(crate) fn with_capacity_in(capacity: usize, arena: &'a SpanAttributeArena) -> Self {
        let mut set = Self::new_in(arena);
        set.reserve_hint(capacity);
        set
    }

    #[inline]
    fn new_in(arena: &'a SpanAttributeArena) -> Self {
        Self {
            arena,
            list: BumpVec::new_in(arena.bump()),
        }
    }

    /// Copies pairs of text, with a list of exactly their number.
    #[inline]
    pub(crate) fn copied_pairs(
        arena: &'a SpanAttributeArena,
        pairs: &[(&str, &str)],
    ) -> Result<Self, LimitError> {
        let mut set = Self::new_in(arena);
        if set.list.try_reserve_exact(pairs.len()).is_err() {
            return Err(arena.limit_error(size_of::<Attribute<'_>>().saturating_mul(pairs.len())));
        }
        for (key, value) in pairs {
            let key = arena.try_alloc_str(key)?;
            let value = AttributeValue::Str(arena.try_alloc_str(value)?);
            set.list.push(Attribute { key, value });
        }
        Ok(set)
    }

    /// Appends a copy of a key and a value of any kind.
    ///
    /// # Panics
    ///
    /// If [`try_push`](Self::try_push) returns an error.
    #[inline]
    #[track_caller]
    pub fn push<'v>(&mut self, key: &str, value: impl Into<AttributeValue<'v>>) {
        if let Err(error) = self.try_push(key, value) {
            error.panic();
        }
    }

    /// Appends a copy of a key and a value of any kind, including arrays and their strings.
    ///
    /// # Errors
    ///
    /// [`PushError`] if the arena rejects it, or the kind of the value is unknown. The set is unchanged; parts copied before
    /// the error occupy the arena until the next reset.
    #[inline]
    pub fn try_push<'v>(
        &mut self,
        key: &str,
        value: impl Into<AttributeValue<'v>>,
    ) -> Result<(), PushError> {
        let value = copy_value(self.arena, value.into())?;
        let key = self.arena.try_alloc_str(key)?;
        self.append(Attribute { key, value })
    }

    /// Appends a key and a value without a copy: text of the same arena, or static text.
    ///
    /// # Errors
    ///
    /// As [`try_push`](Self::try_push).
    #[inline]
    pub fn try_push_borrowed(
        &mut self,
        key: &'a str,
        value: impl Into<AttributeValue<'a>>,
    ) -> Result<(), PushError> {
        let value = value.into();
        if matches!(value, AttributeValue::Unsupported) {
            return Err(PushError::Unsupported);
        }
        self.append(Attribute { key, value })
    }

    /// Appends a key and a value as [`try_push_borrowed`](Self::try_push_borrowed) does.
    ///
    /// # Panics
    ///
    /// If [`try_push_borrowed`](Self::try_push_borrowed) returns an error.
    #[inline]
    #[track_caller]
    pub fn push_borrowed(&mut self, key: &'a str, value: impl Into<AttributeValue<'a>>) {
        if let Err(error) = self.try_push_borrowed(key, value) {
            error.panic();
        }
    }

    /// Appends a key and a text value of several pieces each, as [`concat`](SpanAttributeArena::concat) writes them.
    ///
    /// # Panics
    ///
    /// If [`try_push_concat`](Self::try_push_concat) returns an error.
    #[inline]
    #[track_caller]
    pub fn push_concat(&mut self, key: impl TextPieces, value: impl TextPieces) {
        if let Err(error) = self.try_push_concat(key, value) {
            error.panic();
        }
    }

    /// Appends a key and a value as [`push_concat`](Self::push_concat) does.
    ///
    /// # Errors
    ///
    /// As [`try_push`](Self::try_push).
    #[inline]
    pub fn try_push_concat(
        &mut self,
        key: impl TextPieces,
        value: impl TextPieces,
    ) -> Result<(), PushError> {
        let (key, value) = self.arena.try_concat_pair(key, value)?;
        let value = AttributeValue::Str(value);
        self.append(Attribute { key, value })
    }

    /// Appends copies of the attributes of an iterator. Continues after a rejected attribute.
    ///
    /// Reserves room for the iterator's `size_hint`, and for at most 256 attributes.
    ///
    /// # Errors
    ///
    /// [`ExtendError`] with the number of rejected attributes and the reason for the first.
    pub fn try_extend<T: AsAttribute>(
        &mut self,
        attributes: impl IntoIterator<Item = T>,
    ) -> Result<(), ExtendError> {
        let attributes = attributes.into_iter();
        self.reserve_hint(attributes.size_hint().0);
        let (mut rejected, mut first) = (0, None);
        for attribute in attributes {
            if let Err(cause) = self.push_attribute(attribute.as_attribute()) {
                rejected += 1;
                first.get_or_insert(cause);
            }
        }
        first.map_or(Ok(()), |cause| Err(ExtendError::new(rejected, cause)))
    }

    /// Returns the finished set, which lives until the reset of the arena.
    #[inline]
    pub fn finish(self) -> AttributeSet<'a> {
        AttributeSet::new(self.list.into_bump_slice())
    }

    /// Reserves room for a hint. If the arena has none, the push that needs it returns the error.
    #[inline]
    fn reserve_hint(&mut self, additional: usize) {
        let additional = additional.min(MAX_RESERVED);
        let _ = if self.list.is_empty() {
            self.list.try_reserve_exact(additional)
        } else {
            // Amortised: exact growth for each of many small sources would move the list, and waste its memory, each time.
            self.list.try_reserve(additional)
        };
    }

    #[inline]
    fn append(&mut self, attribute: Attribute<'a>) -> Result<(), PushError> {
        if self.list.len() == self.list.capacity() {
            self.grow()?;
        }
        self.list.push(attribute);
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self) -> Result<(), LimitError> {
        let doubled = self.list.len().max(4);
        if self.list.try_reserve_exact(doubled).is_ok() || self.list.try_reserve_exact(1).is_ok() {
            return Ok(());
        }
        Err(self
            .arena
            .limit_error(size_of::<Attribute<'_>>() * (self.list.len() + 1)))
    }
}

/// Copies a value into the arena.
#[inline]
fn copy_value<'a>(
    arena: &'a SpanAttributeArena,
    value: AttributeValue<'_>,
) -> Result<AttributeValue<'a>, PushError> {
    Ok(match value {
        AttributeValue::Bool(value) => AttributeValue::Bool(value),
        AttributeValue::I64(value) => AttributeValue::I64(value),
        AttributeValue::F64(value) => AttributeValue::F64(value),
        AttributeValue::Str(text) => AttributeValue::Str(arena.try_alloc_str(text)?),
        AttributeValue::BoolArray(values) => {
            AttributeValue::BoolArray(arena.try_alloc_slice(values)?)
        }
        AttributeValue::I64Array(values) => {
            AttributeValue::I64Array(arena.try_alloc_slice(values)?)
        }
        AttributeValue::F64Array(values) => {
            AttributeValue::F64Array(arena.try_alloc_slice(values)?)
        }
        AttributeValue::StrArray(strings) => {
            AttributeValue::StrArray(arena.copy_strings(strings.into_iter())?.into())
        }
        _ => return Err(PushError::Unsupported),
    })
}

impl AttributeSource for ArenaAttributes<'_> {
    #[inline]
    fn len(&self) -> usize {
        self.list.len()
    }

    #[inline]
    fn for_each<'s>(&'s self, visit: impl FnMut(Attribute<'s>)) {
        AttributeSource::for_each(self.list.as_slice(), visit);
    }
}

/// Copies each attribute. If the arena rejects it, the error is [`SinkError::OutOfSpace`].
impl AttributeSink for ArenaAttributes<'_> {
    #[inline]
    fn push_attribute(&mut self, attribute: Attribute<'_>) -> Result<(), SinkError> {
        self.try_push(attribute.key, attribute.value)
            .map_err(SinkError::from)
    }

    #[inline]
    fn reserve_attributes(&mut self, additional: usize) {
        self.reserve_hint(additional);
    }
}

impl fmt::Debug for ArenaAttributes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.list).finish()
    }
}

impl SpanAttributeArena {
    /// Copies keys and values into the arena and returns them as a set.
    ///
    /// The set is borrowed, and a `KeyValue` cannot borrow: an encoder, a span or a vector reads the set through
    /// [`AttributeSource`]. [`AttributeSet::to_key_values`] allocates a `Vec<KeyValue>`.
    ///
    /// # Examples
    ///
    /// ```
    /// use zerospan_arena::SpanAttributeArena;
    /// use zerospan_core::AttributeSource;
    ///
    /// let arena = SpanAttributeArena::new();
    /// let set = arena.create_attributes(&[("http.request.method", "GET"), ("http.route", "/users/:id")]);
    /// assert_eq!(set.len(), 2);
    /// ```
    ///
    /// # Panics
    ///
    /// If [`try_create_attributes`](Self::try_create_attributes) returns an error.
    #[inline]
    #[track_caller]
    pub fn create_attributes(&self, attributes: &[(&str, &str)]) -> AttributeSet<'_> {
        match self.try_create_attributes(attributes) {
            Ok(set) => set,
            Err(error) => error.panic(),
        }
    }

    /// Copies keys and values as [`create_attributes`](Self::create_attributes) does.
    ///
    /// # Errors
    ///
    /// As [`try_alloc_str`](Self::try_alloc_str). The parts copied before the error occupy the arena until the next reset.
    #[inline]
    pub fn try_create_attributes(
        &self,
        attributes: &[(&str, &str)],
    ) -> Result<AttributeSet<'_>, LimitError> {
        ArenaAttributes::copied_pairs(self, attributes).map(ArenaAttributes::finish)
    }

    /// Copies the attributes of `source`, of any kind, into the arena and returns them as a set.
    ///
    /// # Errors
    ///
    /// [`PushError`] of the first rejected attribute. The attributes copied before it occupy the arena until the next
    /// reset.
    pub fn try_copy_attributes<S: AttributeSource + ?Sized>(
        &self,
        source: &S,
    ) -> Result<AttributeSet<'_>, PushError> {
        let mut set = self.attributes(source.len());
        let mut result = Ok(());
        source.for_each(|attribute| {
            if result.is_ok() {
                result = set.try_push(attribute.key, attribute.value);
            }
        });
        result.map(|()| set.finish())
    }

    /// Builds an empty set in the arena, with room for `capacity` attributes if the arena has it.
    ///
    /// `capacity` is a hint: the set grows beyond it, and a push that does not fit returns an error.
    #[inline]
    pub fn attributes(&self, capacity: usize) -> ArenaAttributes<'_> {
        ArenaAttributes::with_capacity_in(capacity, self)
    }
}
