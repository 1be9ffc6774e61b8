use crate::LimitError;
use std::fmt;
use typed_arena::Arena;
use zerospan_core::{CapacityError, Footprint};

/// As many values as a hint is believed: an iterator that lies about its length must not take memory for it.
const BELIEVED: usize = 1024;

/// An arena of values of one type whose destructors run: `KeyValue`, `SpanData`.
///
/// A [`SpanAttributeArena`](crate::SpanAttributeArena) runs no destructors, so what owns heap memory belongs here. Each
/// value is dropped exactly once: by [`reset`](Self::reset), with the arena, or never where it was moved out by
/// [`into_vec`](Self::into_vec).
///
/// # Examples
///
/// ```
/// use opentelemetry::KeyValue;
/// use zerospan_arena::TypedArena;
///
/// let mut arena = TypedArena::new();
/// let attribute = arena.alloc(KeyValue::new("http.route", "/"));
/// assert_eq!(attribute.value.as_str(), "/");
/// arena.reset();
/// assert_eq!(arena.len(), 0);
/// ```
///
/// No reference survives a reset:
///
/// ```compile_fail,E0502
/// use zerospan_arena::TypedArena;
///
/// let mut arena = TypedArena::new();
/// let text = arena.alloc(String::from("of this request"));
/// arena.reset();
/// println!("{text}");
/// ```
pub struct TypedArena<T> {
    arena: Arena<T>,
    /// The room that the arena began with, in values: typed-arena does not tell.
    room: usize,
    limit: usize,
}

impl<T> TypedArena<T> {
    /// An arena with a first chunk of about 1 KiB. Allocates once.
    pub fn new() -> Self {
        /// What typed-arena begins with, in bytes.
        const FIRST: usize = 1024;
        Self::with_room(FIRST / size_of::<T>().max(1))
    }

    /// An arena with room for `capacity` values. Allocates twice: once to learn whether there is the memory, since
    /// typed-arena aborts where there is not, and once for good.
    ///
    /// # Panics
    ///
    /// If there is no such memory; see [`try_with_capacity`](Self::try_with_capacity).
    #[track_caller]
    pub fn with_capacity(capacity: usize) -> Self {
        match Self::try_with_capacity(capacity) {
            Ok(arena) => arena,
            Err(error) => error.panic(),
        }
    }

    /// As [`with_capacity`](Self::with_capacity).
    ///
    /// # Errors
    ///
    /// [`LimitError`], in bytes, if there is no such memory.
    pub fn try_with_capacity(capacity: usize) -> Result<Self, LimitError> {
        Vec::<T>::new()
            .try_reserve_exact(capacity)
            .map_err(|_| LimitError::new(capacity.saturating_mul(size_of::<T>()), 0, None))?;
        Ok(Self::with_room(capacity))
    }

    /// An arena that never holds more than `limit` values: a further one is handed back. Allocates room for one.
    pub fn with_limit(limit: usize) -> Self {
        Self {
            limit,
            ..Self::with_room(0)
        }
    }

    fn with_room(room: usize) -> Self {
        // typed-arena makes room for one at least.
        let room = room.max(1);
        Self {
            arena: Arena::with_capacity(room),
            room,
            limit: usize::MAX,
        }
    }

    /// Moves a value into the arena. Allocates a chunk, twice as large as the last, where that is full.
    ///
    /// # Panics
    ///
    /// Where [`try_alloc`](Self::try_alloc) returns an error: only in an arena with a limit.
    #[inline]
    #[track_caller]
    #[allow(clippy::mut_from_ref)]
    pub fn alloc(&self, value: T) -> &mut T {
        match self.try_alloc(value) {
            Ok(value) => value,
            Err(error) => panic!("{error}"),
        }
    }

    /// Moves a value into the arena. Allocates a chunk, twice as large as the last, where that is full.
    ///
    /// # Errors
    ///
    /// [`CapacityError`] hands the value back where the arena holds as many as it may.
    #[inline]
    #[allow(clippy::mut_from_ref)]
    pub fn try_alloc(&self, value: T) -> Result<&mut T, CapacityError<T>> {
        if self.limit != usize::MAX && self.arena.len() >= self.limit {
            return Err(CapacityError::new(value, self.limit));
        }
        Ok(self.arena.alloc(value))
    }

    /// Moves the values of an iterator into the arena, as many as its limit leaves room for, side by side; what is left
    /// stays in the iterator.
    ///
    /// What the iterator says about its length is a hint, believed up to 1,024 values.
    ///
    /// # Panics
    ///
    /// If the iterator panics, or uses this arena while it runs. The values moved before stay in the arena.
    #[allow(clippy::mut_from_ref)]
    pub fn alloc_extend(&self, values: &mut impl Iterator<Item = T>) -> &mut [T] {
        self.arena.alloc_extend(Bounded {
            room: self.limit - self.arena.len().min(self.limit),
            values,
        })
    }

    /// The number of values.
    pub fn len(&self) -> usize {
        self.arena.len()
    }

    /// Whether there is no value in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values in the order they were moved in, to change them.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.arena.iter_mut()
    }

    /// Drops every value, once, and makes room for as many, or as many as there was room for before.
    ///
    /// Frees the memory and allocates one chunk: typed-arena has no way to keep it. That is why this type does not
    /// implement [`Reset`](zerospan_core::Reset), which allocates nothing. The room is for at most 1,024 values.
    ///
    /// # Panics
    ///
    /// If the destructor of a value does. The others are dropped all the same, and the arena is empty and usable.
    pub fn reset(&mut self) {
        let room = self.arena.len().clamp(self.room.min(BELIEVED), BELIEVED);
        let limit = self.limit;
        let used = std::mem::replace(self, Self::with_room(room));
        self.limit = limit;
        drop(used);
    }

    /// Moves the values out, in the order they were moved in. Allocates the vector.
    pub fn into_vec(self) -> Vec<T> {
        self.arena.into_vec()
    }
}

impl<T> Default for TypedArena<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// Exact after a reset. In use, the room that is left in chunks after the first is not counted: typed-arena does not tell.
impl<T> Footprint for TypedArena<T> {
    fn heap_bytes(&self) -> usize {
        self.len().max(self.room) * size_of::<T>()
    }
}

impl<T> fmt::Debug for TypedArena<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TypedArena")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// At most `room` values of an iterator, with a hint that can be believed.
struct Bounded<'i, I> {
    room: usize,
    values: &'i mut I,
}

impl<I: Iterator> Iterator for Bounded<'_, I> {
    type Item = I::Item;

    #[inline]
    fn next(&mut self) -> Option<I::Item> {
        self.room = self.room.checked_sub(1)?;
        self.values.next()
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.values.size_hint().0.min(self.room).min(BELIEVED), None)
    }
}
