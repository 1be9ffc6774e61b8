mod set;
mod slabs;

use crate::{LimitError, Parts};
use set::Ends;
pub use set::SharedAttributeSet;
use slabs::{Free, Slabs};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use zerospan_core::{Footprint, Reset};

/// An arena that several threads fill at once: each allocation takes a lock for a few instructions.
///
/// [`share`](Self::share) lends it to the threads of one request. What they allocate lives as long as that loan may, past
/// the lock and past the [`ArenaShare`] itself; the next reset, through `&mut self`, is rejected by the compiler while
/// any of it is in use:
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
/// # How it is sound
///
/// A `Mutex<Bump>` can lend nothing past its guard, and an arena that resets through `&self` frees what is still read.
/// Here the lock protects the exclusive reference to what is *left* of the memory. An allocation splits its bytes off,
/// takes them out of the lock, and fills them unlocked: two allocations never see the same bytes, in safe code.
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
/// On the first use the row of its slabs, then slabs that double, when those before are used up. Reset and
/// [`share`](Self::share) turn several into one, so a use like an earlier one allocates nothing.
pub struct SharedAttributeArena {
    text: Slabs<u8>,
    ends: Slabs<Ends>,
    limit: usize,
    retention: usize,
}

impl SharedAttributeArena {
    /// An arena that allocates when it is first used. Does not allocate.
    pub fn new() -> Self {
        Self {
            text: Slabs::new(),
            ends: Slabs::new(),
            limit: usize::MAX,
            retention: crate::arena::RETENTION,
        }
    }

    /// An arena with room for `capacity` bytes of text, which a reset keeps.
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
    /// [`LimitError`] if there is no such memory.
    pub fn try_with_capacity(capacity: usize) -> Result<Self, LimitError> {
        let mut arena = Self::new();
        if !arena.text.prepare(capacity) {
            return Err(LimitError::new(capacity, 0, None));
        }
        arena.retention = arena.retention.max(capacity);
        Ok(arena)
    }

    /// An arena that never holds more than `limit` bytes of memory for its content.
    pub fn with_limit(limit: usize) -> Self {
        Self {
            limit,
            ..Self::new()
        }
    }

    /// Has a reset keep at most `bytes` of memory: 1 MiB, or the arena's first capacity, unless this is called.
    ///
    /// Where a use needs more, each one allocates anew.
    #[must_use]
    pub fn with_retention_limit(mut self, bytes: usize) -> Self {
        self.retention = bytes;
        self
    }

    /// Resets the arena, and lends it to as many threads as borrow the loan.
    pub fn share(&mut self) -> ArenaShare<'_> {
        self.reset();
        let held = self.capacity();
        ArenaShare {
            limit: self.limit,
            state: Mutex::new(State {
                text: self.text.lend(),
                ends: self.ends.lend(),
                budget: self.limit.saturating_sub(held),
            }),
        }
    }

    /// Frees all content at once, and keeps the memory, up to what [`with_retention_limit`](Self::with_retention_limit) allows.
    ///
    /// After a use that took several slabs this frees them and allocates one, as large as all of them, for text and for
    /// sets each; otherwise it does nothing. A use of more than may be kept is freed down to that.
    pub fn reset(&mut self) {
        let most = self.retention.min(self.limit);
        self.text.settle(most);
        self.ends.settle(most - self.text.bytes());
    }

    /// The bytes that the arena holds for its content.
    pub fn capacity(&self) -> usize {
        self.text.bytes() + self.ends.bytes()
    }
}

impl Default for SharedAttributeArena {
    fn default() -> Self {
        Self::new()
    }
}

/// As the inherent [`reset`](SharedAttributeArena::reset): after a use of several slabs, and then alone, it allocates.
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

/// Says how much memory the arena holds, not what is in it.
impl fmt::Debug for SharedAttributeArena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedAttributeArena")
            .field("capacity", &self.capacity())
            .finish_non_exhaustive()
    }
}

/// A [`SharedAttributeArena`] on loan: any number of threads allocate through `&self`.
///
/// ```
/// fn assert_send_sync<T: Send + Sync>() {}
/// assert_send_sync::<zerospan_arena::ArenaShare<'_>>();
/// ```
pub struct ArenaShare<'a> {
    state: Mutex<State<'a>>,
    limit: usize,
}

struct State<'a> {
    text: Free<'a, u8>,
    ends: Free<'a, Ends>,
    /// The bytes that may still be allocated.
    budget: usize,
}

impl<'a> ArenaShare<'a> {
    /// Copies `text` into the arena.
    ///
    /// # Panics
    ///
    /// Where [`try_alloc_str`](Self::try_alloc_str) returns an error: only in an arena with a limit, or without memory.
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

    /// Writes the pieces one behind the other into the arena, as
    /// [`SpanAttributeArena::concat`](crate::SpanAttributeArena::concat).
    ///
    /// # Panics
    ///
    /// Where [`try_concat`](Self::try_concat) returns an error.
    #[inline]
    #[track_caller]
    pub fn concat(&self, parts: impl Parts) -> &'a str {
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
    pub fn try_concat(&self, parts: impl Parts) -> Result<&'a str, LimitError> {
        parts.with_parts(|parts| {
            let length = total(parts.iter().copied());
            let memory = self.take(length, |state| state.text.take(length, &mut state.budget))?;
            Ok(written(memory, parts.iter().copied()))
        })
    }

    /// Copies `attributes`, keys and values, into the arena, and lends them as a set.
    ///
    /// # Panics
    ///
    /// Where [`try_create_attributes`](Self::try_create_attributes) returns an error.
    #[inline]
    #[track_caller]
    pub fn create_attributes(&self, attributes: &[(&str, &str)]) -> SharedAttributeSet<'a> {
        match self.try_create_attributes(attributes) {
            Ok(set) => set,
            Err(error) => error.panic(),
        }
    }

    /// As [`create_attributes`](Self::create_attributes): one lock for the whole set.
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
            written(memory, pieces()),
            attributes,
        ))
    }

    /// The bytes that were handed out, through this loan, so far.
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

    /// No caller's code runs under the lock, so nothing poisons it but a panic of the allocator, which leaves it whole.
    #[inline]
    fn lock(&self) -> MutexGuard<'_, State<'a>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The length of all pieces, or `usize::MAX`, which is refused, where it is beyond that.
#[inline]
fn total<'p>(pieces: impl Iterator<Item = &'p str>) -> usize {
    pieces.fold(0, |sum, piece| sum.saturating_add(piece.len()))
}

/// Fills `memory`, which is as long as all pieces together, with them.
#[inline]
fn written<'a, 'p>(memory: &'a mut [u8], pieces: impl Iterator<Item = &'p str>) -> &'a str {
    let mut rest = &mut *memory;
    for piece in pieces {
        let (here, behind) = rest.split_at_mut(piece.len());
        here.copy_from_slice(piece.as_bytes());
        rest = behind;
    }
    match std::str::from_utf8(memory) {
        Ok(text) => text,
        Err(error) => unreachable!("whole strings, one behind the other, are UTF-8: {error}"),
    }
}

impl fmt::Debug for ArenaShare<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArenaShare")
            .field("allocated_bytes", &self.allocated_bytes())
            .finish_non_exhaustive()
    }
}
