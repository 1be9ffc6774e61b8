use crate::{ArenaAttributes, LimitError, PushError, SpanAttributeArena};
use opentelemetry::KeyValue;
use std::ops::Deref;
use zerospan_core::{Attribute, AttributeSink, AttributeSource, ExtendError};

/// A set of attributes in an arena: a borrowed list, copied by copying one reference.
///
/// It dereferences to the slice of its attributes, and can be read from any thread:
///
/// ```
/// fn assert_send_sync<T: Send + Sync>() {}
/// assert_send_sync::<zerospan_arena::AttributeSet<'_>>();
/// ```
///
/// No set survives the reset of its arena:
///
/// ```compile_fail,E0502
/// use zerospan_arena::SpanAttributeArena;
///
/// let mut arena = SpanAttributeArena::new();
/// let set = arena.create_attributes(&[("http.route", "/")]);
/// arena.reset();
/// println!("{set:?}");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AttributeSet<'a> {
    list: &'a [Attribute<'a>],
}

impl<'a> AttributeSet<'a> {
    #[inline]
    pub(crate) fn new(list: &'a [Attribute<'a>]) -> Self {
        Self { list }
    }

    /// The attributes, for as long as the arena is not reset.
    #[inline]
    pub fn as_slice(&self) -> &'a [Attribute<'a>] {
        self.list
    }

    /// Copies the set out of the arena, into the API crate's owned form.
    ///
    /// Allocates on the heap: the vector once, each key once, and each value as
    /// [`AttributeValue::to_value`](zerospan_core::AttributeValue::to_value) says. For 8 attributes of text that is 17 allocations.
    ///
    /// # Errors
    ///
    /// None that the set's own ways of filling it can cause: they reject what [`ExtendError`] would tell of.
    pub fn to_key_values(&self) -> Result<Vec<KeyValue>, ExtendError> {
        let mut vector = Vec::new();
        vector.push_all(self.list)?;
        Ok(vector)
    }
}

impl<'a> Deref for AttributeSet<'a> {
    type Target = [Attribute<'a>];

    #[inline]
    fn deref(&self) -> &[Attribute<'a>] {
        self.list
    }
}

impl AttributeSource for AttributeSet<'_> {
    #[inline]
    fn len(&self) -> usize {
        self.list.len()
    }

    #[inline]
    fn for_each<'s>(&'s self, visit: impl FnMut(Attribute<'s>)) {
        AttributeSource::for_each(self.list, visit);
    }
}

impl SpanAttributeArena {
    /// Copies `attributes`, keys and values, into the arena, and lends them as a set.
    ///
    /// The set is borrowed, since a `KeyValue` cannot be: an encoder, a span or a vector reads it through
    /// [`AttributeSource`]. [`AttributeSet::to_key_values`] makes a `Vec<KeyValue>`, on the heap.
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
    /// Where [`try_create_attributes`](Self::try_create_attributes) returns an error.
    #[inline]
    #[track_caller]
    pub fn create_attributes(&self, attributes: &[(&str, &str)]) -> AttributeSet<'_> {
        match self.try_create_attributes(attributes) {
            Ok(set) => set,
            Err(error) => error.panic(),
        }
    }

    /// As [`create_attributes`](Self::create_attributes).
    ///
    /// # Errors
    ///
    /// As [`try_alloc_str`](Self::try_alloc_str). What was copied before the error stays in the arena, out of reach, until
    /// the next reset.
    #[inline]
    pub fn try_create_attributes(
        &self,
        attributes: &[(&str, &str)],
    ) -> Result<AttributeSet<'_>, LimitError> {
        ArenaAttributes::copied_pairs(self, attributes).map(ArenaAttributes::finish)
    }

    /// Copies every attribute of `source`, of whatever kind, into the arena, and lends them as a set.
    ///
    /// # Errors
    ///
    /// [`PushError`] of the first attribute that the arena does not take. What was copied before stays in the arena, out
    /// of reach, until the next reset.
    pub fn try_copy_attributes<S: AttributeSource + ?Sized>(
        &self,
        source: &S,
    ) -> Result<AttributeSet<'_>, PushError> {
        let mut set = self.attributes(source.len());
        let mut outcome = Ok(());
        source.for_each(|attribute| {
            if outcome.is_ok() {
                outcome = set.try_push(attribute.key, attribute.value);
            }
        });
        outcome.map(|()| set.finish())
    }

    /// A set to be filled, in the arena, with room for `capacity` attributes where the arena has it.
    ///
    /// `capacity` is a hint: the set grows past it, and what does not fit is told by the push that finds out.
    #[inline]
    pub fn attributes(&self, capacity: usize) -> ArenaAttributes<'_> {
        ArenaAttributes::with_capacity_in(capacity, self)
    }
}
