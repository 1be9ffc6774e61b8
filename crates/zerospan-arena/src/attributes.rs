use crate::{AttributeSet, LimitError, Parts, PushError, SpanAttributeArena};
use bumpalo::collections::Vec as BumpVec;
use std::fmt;
use zerospan_core::{
    AsAttribute, Attribute, AttributeSink, AttributeSource, AttributeValue, ExtendError, SinkError,
};

/// As many attributes as a hint is believed: a source that lies about its length must not take memory for it.
const BELIEVED: usize = 256;

/// A set of attributes that is being filled, with keys, values and list in one arena.
///
/// It takes attributes of every kind: by [`try_push`](Self::try_push), by
/// [`try_push_borrowed`](Self::try_push_borrowed) without a copy, and as an [`AttributeSink`] from any source. It is an
/// [`AttributeSource`] itself; [`finish`](Self::finish) makes an [`AttributeSet`] of it, which can be copied and sent.
///
/// A list that grows past its capacity moves, and leaves its old place unused until the next reset: say how many
/// attributes there will be where it is known.
///
/// # Examples
///
/// ```
/// use zerospan_arena::{PushError, SpanAttributeArena};
/// use zerospan_core::AttributeSource;
///
/// # fn main() -> Result<(), PushError> {
/// let arena = SpanAttributeArena::new();
/// let mut set = arena.attributes(3);
/// set.try_push("http.response.status_code", 200)?;
/// set.try_push("server.address", "a.example")?;
/// set.try_push_borrowed("user.id", arena.concat(("user_", 42)))?;
/// assert_eq!(set.len(), 3);
/// # Ok(())
/// # }
/// ```
///
/// While it is filled it stays on the arena's thread; an [`AttributeSet`] may go anywhere.
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
        set.believe(capacity);
        set
    }

    #[inline]
    fn new_in(arena: &'a SpanAttributeArena) -> Self {
        Self {
            arena,
            list: BumpVec::new_in(arena.bump()),
        }
    }

    /// Copies pairs of text, with a list of just their number.
    #[inline]
    pub(crate) fn copied_pairs(
        arena: &'a SpanAttributeArena,
        pairs: &[(&str, &str)],
    ) -> Result<Self, LimitError> {
        let mut set = Self::new_in(arena);
        if set.list.try_reserve_exact(pairs.len()).is_err() {
            return Err(arena.refuses(size_of::<Attribute<'_>>().saturating_mul(pairs.len())));
        }
        for (key, value) in pairs {
            let key = arena.try_alloc_str(key)?;
            let value = AttributeValue::Str(arena.try_alloc_str(value)?);
            set.list.push(Attribute { key, value });
        }
        Ok(set)
    }

    /// Copies a key and a value, of whatever kind, behind those that the set holds.
    ///
    /// # Panics
    ///
    /// Where [`try_push`](Self::try_push) returns an error.
    #[inline]
    #[track_caller]
    pub fn push<'v>(&mut self, key: &str, value: impl Into<AttributeValue<'v>>) {
        if let Err(error) = self.try_push(key, value) {
            error.panic();
        }
    }

    /// Copies a key and a value, of whatever kind, behind those that the set holds: arrays and their strings as well.
    ///
    /// # Errors
    ///
    /// [`PushError`] if the arena does not take it, or the kind of value is unknown. The set stays as it was; what was
    /// copied before the error stays in the arena, out of reach, until the next reset.
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

    /// Adds a key and a value that outlive the arena's use, without a copy: text of the same arena, or of the program.
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

    /// As [`try_push_borrowed`](Self::try_push_borrowed).
    ///
    /// # Panics
    ///
    /// Where that returns an error.
    #[inline]
    #[track_caller]
    pub fn push_borrowed(&mut self, key: &'a str, value: impl Into<AttributeValue<'a>>) {
        if let Err(error) = self.try_push_borrowed(key, value) {
            error.panic();
        }
    }

    /// Writes a key and a text value of several pieces each, side by side, into the arena: see
    /// [`concat`](SpanAttributeArena::concat).
    ///
    /// # Panics
    ///
    /// Where [`try_push_concat`](Self::try_push_concat) returns an error.
    #[inline]
    #[track_caller]
    pub fn push_concat(&mut self, key: impl Parts, value: impl Parts) {
        if let Err(error) = self.try_push_concat(key, value) {
            error.panic();
        }
    }

    /// As [`push_concat`](Self::push_concat).
    ///
    /// # Errors
    ///
    /// As [`try_push`](Self::try_push).
    #[inline]
    pub fn try_push_concat(&mut self, key: impl Parts, value: impl Parts) -> Result<(), PushError> {
        let (key, value) = self.arena.try_concat_pair(key, value)?;
        let value = AttributeValue::Str(value);
        self.append(Attribute { key, value })
    }

    /// Copies every attribute of an iterator. One that is rejected does not stop the rest.
    ///
    /// What the iterator says about its length is a hint, believed up to 256 attributes.
    ///
    /// # Errors
    ///
    /// [`ExtendError`] counts the attributes that were not taken and keeps the first cause.
    pub fn try_extend<T: AsAttribute>(
        &mut self,
        attributes: impl IntoIterator<Item = T>,
    ) -> Result<(), ExtendError> {
        let attributes = attributes.into_iter();
        self.believe(attributes.size_hint().0);
        let (mut rejected, mut first) = (0, None);
        for attribute in attributes {
            if let Err(cause) = self.push_attribute(attribute.as_attribute()) {
                rejected += 1;
                first.get_or_insert(cause);
            }
        }
        first.map_or(Ok(()), |cause| Err(ExtendError::new(rejected, cause)))
    }

    /// The set as it stands, for as long as the arena is not reset.
    #[inline]
    pub fn finish(self) -> AttributeSet<'a> {
        AttributeSet::new(self.list.into_bump_slice())
    }

    /// Makes room for a hint's worth of attributes. Where the arena has it not, the push that needs it says so.
    #[inline]
    fn believe(&mut self, additional: usize) {
        let additional = additional.min(BELIEVED);
        let _ = if self.list.is_empty() {
            self.list.try_reserve_exact(additional)
        } else {
            // Many small sources: a list that moved for each would leave as many behind.
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
        let ample = self.list.len().max(4);
        if self.list.try_reserve_exact(ample).is_ok() || self.list.try_reserve_exact(1).is_ok() {
            return Ok(());
        }
        Err(self
            .arena
            .refuses(size_of::<Attribute<'_>>() * (self.list.len() + 1)))
    }
}

/// Copies what a value borrows into the arena.
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

/// Copies each attribute into the arena. Where the arena refuses, the set is
/// [out of room](zerospan_core::SinkError::OutOfSpace).
impl AttributeSink for ArenaAttributes<'_> {
    #[inline]
    fn push_attribute(&mut self, attribute: Attribute<'_>) -> Result<(), SinkError> {
        self.try_push(attribute.key, attribute.value)
            .map_err(SinkError::from)
    }

    #[inline]
    fn reserve_attributes(&mut self, additional: usize) {
        self.believe(additional);
    }
}

impl fmt::Debug for ArenaAttributes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.list).finish()
    }
}
