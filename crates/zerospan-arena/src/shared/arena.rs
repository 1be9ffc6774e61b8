use super::set::{Ends, SharedAttributeSet};
use super::slabs::{Free, Slabs};
use crate::error::LimitError;
use crate::span::arena::DEFAULT_RETENTION_LIMIT;
use crate::text::TextPieces;
use std::fmt;
use zerospan_core::sync::{BlockingMutex, BlockingMutexGuard, lock_blocking};
use zerospan_core::{Footprint, Reset};

/// An arena that several threads fill at once: each allocation takes a lock for a few instructions.
///
/// [`share`](Self::share) lends it to the threads of one request. Their allocations outlive the lock and the [`ArenaShare`].
/// The next reset takes `&mut self`, so that the compiler rejects it while an allocation is in use:
///
/// ```compile_fail,E0499
/// use zerospan_arena::SharedAttributeArena;
///
/// let mut arena = SharedAttributeArena::new();
/// let text = arena.share().alloc_str("of this request");
/// arena.reset();
/// println!("{text}");
/// ```
///
/// # Soundness
///
/// A `Mutex<Bump>` cannot lend anything past its guard, and an arena that resets through `&self` frees memory that is still
/// read. Here the lock protects the exclusive reference to the *free* memory. An allocation splits its bytes off under the
/// lock and fills them after it: two allocations never overlap, without unsafe code.
///
/// # Examples
///
/// ```
/// use zerospan_arena::SharedAttributeArena;
///
/// let mut arena = SharedAttributeArena::new();
/// let request = arena.share();
/// let (first, second) = std::thread::scope(|scope| {
///     let other = scope.spawn(|| request.concat(("shard_", 7)));
///     (request.alloc_str("/users/42"), other.join().unwrap_or_default())
/// });
/// assert_eq!([first, second], ["/users/42", "shard_7"]);
/// ```
///
/// # What it allocates
///
/// The list of its slabs on the first use, then slabs that double in size, each when those before it are full. Reset and
/// [`share`](Self::share) merge several into one, so that a repeated use does not allocate.
pub struct SharedAttributeArena {
    text: Slabs<u8>,
    ends: Slabs<Ends>,
    limit: usize,
    retention_limit: usize,
}

impl SharedAttributeArena {
    /// Builds an empty arena, which allocates on first use. Does not allocate.
    pub fn new() -> Self {
        Self {
            text: Slabs::new(),
            ends: Slabs::new(),
            limit: usize::MAX,
            retention_limit: DEFAULT_RETENTION_LIMIT,
        }
    }

    /// Builds an arena with room for `capacity` bytes of text, which a reset keeps.
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
    /// [`LimitError`] if the system has not enough memory.
    pub fn try_with_capacity(capacity: usize) -> Result<Self, LimitError> {
        let mut arena = Self::new();
        if !arena.text.preallocate(capacity) {
            return Err(LimitError::new(capacity, 0, None));
        }
        arena.retention_limit = arena.retention_limit.max(capacity);
        Ok(arena)
    }

    /// Builds an arena that never holds more than `limit` bytes of memory for its content.
    pub fn with_limit(limit: usize) -> Self {
        Self {
            limit,
            ..Self::new()
        }
    }

    /// Keeps at most `bytes` of memory at a reset; 1 MiB, or the arena's first capacity if that is larger, by default.
    ///
    /// A use that needs more allocates each time.
    #[must_use]
    pub fn with_retention_limit(mut self, bytes: usize) -> Self {
        self.retention_limit = bytes;
        self
    }

    /// Resets the arena and lends it to any number of threads.
    pub fn share(&mut self) -> ArenaShare<'_> {
        self.reset();
        let held = self.capacity();
        ArenaShare {
            limit: self.limit,
            state: BlockingMutex::new(State {
                text: self.text.lend(),
                ends: self.ends.lend(),
                budget: self.limit.saturating_sub(held),
            }),
        }
    }

    /// Frees all content at once. Keeps the memory, up to the [retention limit](Self::with_retention_limit).
    ///
    /// After a use of several slabs, frees them and allocates one of their total size, for text and for sets each.
    pub fn reset(&mut self) {
        let max = self.retention_limit.min(self.limit);
        self.text.consolidate(max);
        self.ends.consolidate(max - self.text.bytes());
    }

    /// Returns the bytes that the arena holds for its content.
    pub fn capacity(&self) -> usize {
        self.text.bytes() + self.ends.bytes()
    }
}

impl Default for SharedAttributeArena {
    fn default() -> Self {
        Self::new()
    }
}

/// Resets as the inherent [`reset`](SharedAttributeArena::reset) does, which allocates only after a use of several slabs.
impl Reset for SharedAttributeArena {
    fn reset(&mut self) {
        SharedAttributeArena::reset(self);
    }
}

impl Footprint for SharedAttributeArena {
    fn heap_bytes(&self) -> usize {
        self.capacity() + self.text.overhead() + self.ends.overhead()
    }
}

/// Prints sizes, not contents.
impl fmt::Debug for SharedAttributeArena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedAttributeArena")
            .field("capacity", &self.capacity())
            .finish_non_exhaustive()
    }
}

/// A borrow of a [`SharedAttributeArena`], through which any number of threads allocate.
///
/// ```
/// fn assert_send_sync<T: Send + Sync>() {}
/// assert_send_sync::<zerospan_arena::ArenaShare<'_>>();
/// ```
pub struct ArenaShare<'a> {
    state: BlockingMutex<State<'a>>,
    limit: usize,
}

struct State<'a> {
    text: Free<'a, u8>,
    ends: Free<'a, Ends>,
    /// The bytes that may be allocated until the limit.
    budget: usize,
}

impl<'a> ArenaShare<'a> {
    /// Copies `text` into the arena.
    ///
    /// # Panics
    ///
    /// If [`try_alloc_str`](Self::try_alloc_str) returns an error.
    #[inline]
    #[track_caller]
    pub fn alloc_str(&self, text: &str) -> &'a str {
        match self.try_alloc_str(text) {
            Ok(text) => text,
            Err(error) => error.panic(),
        }
    }

    /// Copies `text` into the arena.
    ///
    /// # Errors
    ///
    /// [`LimitError`] if the limit is reached, or the system has no more memory.
    #[inline]
    pub fn try_alloc_str(&self, text: &str) -> Result<&'a str, LimitError> {
        self.try_concat((text,))
    }

    /// Concatenates the pieces in the arena, as [`SpanAttributeArena::concat`](crate::SpanAttributeArena::concat) does.
    ///
    /// # Panics
    ///
    /// If [`try_concat`](Self::try_concat) returns an error.
    #[inline]
    #[track_caller]
    pub fn concat(&self, pieces: impl TextPieces) -> &'a str {
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
    pub fn try_concat(&self, pieces: impl TextPieces) -> Result<&'a str, LimitError> {
        pieces.with_pieces(|pieces| {
            let length = total(pieces.iter().copied());
            let memory = self.take(length, |state| state.text.take(length, &mut state.budget))?;
            Ok(write(memory, pieces.iter().copied()))
        })
    }

    /// Copies keys and values into the arena and returns them as a set.
    ///
    /// # Panics
    ///
    /// If [`try_create_attributes`](Self::try_create_attributes) returns an error.
    #[inline]
    #[track_caller]
    pub fn create_attributes(&self, attributes: &[(&str, &str)]) -> SharedAttributeSet<'a> {
        match self.try_create_attributes(attributes) {
            Ok(set) => set,
            Err(error) => error.panic(),
        }
    }

    /// Copies keys and values as [`create_attributes`](Self::create_attributes) does. Locks once for the whole set.
    ///
    /// # Errors
    ///
    /// As [`try_alloc_str`](Self::try_alloc_str).
    pub fn try_create_attributes(
        &self,
        attributes: &[(&str, &str)],
    ) -> Result<SharedAttributeSet<'a>, LimitError> {
        let pieces = || attributes.iter().flat_map(|(key, value)| [*key, *value]);
        let length = total(pieces());
        let whole = length.saturating_add(size_of_val(attributes));
        let (ends, memory) = self.take(whole, |state| {
            let ends = state.ends.take(attributes.len(), &mut state.budget)?;
            Some((ends, state.text.take(length, &mut state.budget)?))
        })?;
        Ok(SharedAttributeSet::new(
            ends,
            write(memory, pieces()),
            attributes,
        ))
    }

    /// Returns the bytes allocated through this share.
    pub fn allocated_bytes(&self) -> usize {
        let state = self.lock();
        state.text.taken_bytes() + state.ends.taken_bytes()
    }

    #[inline]
    fn take<R>(
        &self,
        requested: usize,
        take: impl FnOnce(&mut State<'a>) -> Option<R>,
    ) -> Result<R, LimitError> {
        let mut state = self.lock();
        if let Some(taken) = take(&mut state) {
            return Ok(taken);
        }
        let limit = (self.limit != usize::MAX).then_some(self.limit);
        Err(LimitError::new(requested, self.limit - state.budget, limit))
    }

    /// Locks the state. Ignores poison: only a failed allocation can panic under the lock, and it leaves the state
    /// consistent.
    #[inline]
    fn lock(&self) -> BlockingMutexGuard<'_, State<'a>> {
        lock_blocking(&self.state)
    }
}

/// Returns the total length of the pieces, saturated at `usize::MAX`, which no arena accepts.
#[inline]
fn total<'p>(pieces: impl Iterator<Item = &'p str>) -> usize {
    pieces.fold(0, |sum, piece| sum.saturating_add(piece.len()))
}

/// Copies the pieces into `memory`, which has their total length.
#[inline]
fn write<'a, 'p>(memory: &'a mut [u8], pieces: impl Iterator<Item = &'p str>) -> &'a str {
    let mut rest = &mut *memory;
    for piece in pieces {
        let (first, others) = rest.split_at_mut(piece.len());
        first.copy_from_slice(piece.as_bytes());
        rest = others;
    }
    match std::str::from_utf8(memory) {
        Ok(text) => text,
        Err(error) => unreachable!("concatenated strings are UTF-8: {error}"),
    }
}

impl fmt::Debug for ArenaShare<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArenaShare")
            .field("allocated_bytes", &self.allocated_bytes())
            .finish_non_exhaustive()
    }
}
