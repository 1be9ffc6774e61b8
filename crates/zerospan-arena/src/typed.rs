use crate::error::LimitError;
use std::fmt;
use typed_arena::Arena;
use zerospan_core::{CapacityError, Footprint};

/// Limits the room reserved for a size hint, which may be wrong, and the room kept at a reset.
const MAX_RESERVED: usize = 1024;

/// An arena of values of one type whose destructors run: `KeyValue`, `SpanData`.
///
/// A [`SpanAttributeArena`](crate::SpanAttributeArena) runs no destructors: store values that own heap memory here. Each
/// value is dropped exactly once, by [`reset`](Self::reset) or with the arena, unless [`into_vec`](Self::into_vec) moves
/// it out.
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
/// A reference cannot outlive a reset:
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
    /// The first capacity, in values, which typed-arena does not report.
    first_capacity: usize,
    limit: usize,
}

impl<T> TypedArena<T> {
    /// Builds an arena with a first chunk of about 1 KiB. Allocates once.
    pub fn new() -> Self {
        /// The default of typed-arena.
        const FIRST_BYTES: usize = 1024;
        Self::with_first_capacity(FIRST_BYTES / size_of::<T>().max(1))
    }

    /// Builds an arena with room for `capacity` values. Allocates twice: first to check that the system has the memory,
    /// since typed-arena aborts otherwise.
    ///
    /// # Panics
    ///
    /// If the system has not enough memory; see [`try_with_capacity`](Self::try_with_capacity).
    #[track_caller]
    pub fn with_capacity(capacity: usize) -> Self {
        match Self::try_with_capacity(capacity) {
            Ok(arena) => arena,
            Err(error) => error.panic(),
        }
    }

    /// Builds an arena as [`with_capacity`](Self::with_capacity) does.
    ///
    /// # Errors
    ///
    /// [`LimitError`], in bytes, if the system has not enough memory.
    pub fn try_with_capacity(capacity: usize) -> Result<Self, LimitError> {
        Vec::<T>::new()
            .try_reserve_exact(capacity)
            .map_err(|_| LimitError::new(capacity.saturating_mul(size_of::<T>()), 0, None))?;
        Ok(Self::with_first_capacity(capacity))
    }

    /// Builds an arena that holds at most `limit` values, and hands a further one back. Allocates room for one.
    pub fn with_limit(limit: usize) -> Self {
        Self {
            limit,
            ..Self::with_first_capacity(0)
        }
    }

    fn with_first_capacity(capacity: usize) -> Self {
        // The minimum of typed-arena.
        let first_capacity = capacity.max(1);
        Self {
            arena: Arena::with_capacity(first_capacity),
            first_capacity,
            limit: usize::MAX,
        }
    }

    /// Moves a value into the arena. Allocates a chunk of twice the size of the last if that is full.
    ///
    /// # Panics
    ///
    /// If [`try_alloc`](Self::try_alloc) returns an error: only in an arena with a limit.
    #[inline]
    #[track_caller]
    #[allow(clippy::mut_from_ref)]
    pub fn alloc(&self, value: T) -> &mut T {
        match self.try_alloc(value) {
            Ok(value) => value,
            Err(error) => panic!("{error}"),
        }
    }

    /// Moves a value into the arena. Allocates a chunk of twice the size of the last if that is full.
    ///
    /// # Errors
    ///
    /// [`CapacityError`] with the value, if the arena is at its limit.
    #[inline]
    #[allow(clippy::mut_from_ref)]
    pub fn try_alloc(&self, value: T) -> Result<&mut T, CapacityError<T>> {
        if self.limit != usize::MAX && self.arena.len() >= self.limit {
            return Err(CapacityError::new(value, self.limit));
        }
        Ok(self.arena.alloc(value))
    }

    /// Moves the values of an iterator into the arena, side by side, up to its limit; the rest stays in the iterator.
    ///
    /// Reserves room for the iterator's `size_hint`, and for at most 1,024 values.
    ///
    /// # Panics
    ///
    /// If the iterator panics, or uses this arena. The values moved before stay in the arena.
    #[allow(clippy::mut_from_ref)]
    pub fn alloc_extend(&self, values: &mut impl Iterator<Item = T>) -> &mut [T] {
        self.arena.alloc_extend(Bounded {
            room: self.limit - self.arena.len().min(self.limit),
            values,
        })
    }

    /// Returns the number of values.
    pub fn len(&self) -> usize {
        self.arena.len()
    }

    /// Returns `true` if the arena holds no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Iterates over the values, mutably, in the order in which they were moved in.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.arena.iter_mut()
    }

    /// Drops every value, once, and reserves room for as many values, but at least for the first capacity and at most for
    /// 1,024.
    ///
    /// Frees the memory and allocates one chunk, since typed-arena cannot keep it. Therefore this type does not implement
    /// [`Reset`](zerospan_core::Reset), which must not allocate.
    ///
    /// # Panics
    ///
    /// If the destructor of a value panics. The others are dropped nevertheless, and the arena is empty and usable.
    pub fn reset(&mut self) {
        let min = self.first_capacity.min(MAX_RESERVED);
        let capacity = self.arena.len().clamp(min, MAX_RESERVED);
        let limit = self.limit;
        let used = std::mem::replace(self, Self::with_first_capacity(capacity));
        self.limit = limit;
        drop(used);
    }

    /// Moves the values out, in the order in which they were moved in. Allocates the vector.
    pub fn into_vec(self) -> Vec<T> {
        self.arena.into_vec()
    }
}

impl<T> Default for TypedArena<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// Exact after a reset. In use, omits the free room in chunks after the first, which typed-arena does not report.
impl<T> Footprint for TypedArena<T> {
    fn heap_bytes(&self) -> usize {
        self.len().max(self.first_capacity) * size_of::<T>()
    }
}

impl<T> fmt::Debug for TypedArena<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TypedArena")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// Yields at most `room` values of an iterator, and bounds its size hint.
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
        (
            self.values.size_hint().0.min(self.room).min(MAX_RESERVED),
            None,
        )
    }
}
