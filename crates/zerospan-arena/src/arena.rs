use crate::{ArenaGuard, LimitError};
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;
use std::fmt;
use zerospan_core::{Footprint, Reset};

/// Text and attribute sets of one request, side by side in one arena, freed by one reset.
///
/// Allocation goes through `&self` and moves one pointer; the reset goes through `&mut self`, so that the compiler rejects
/// whoever still holds a reference:
///
/// ```compile_fail,E0502
/// use zerospan_arena::SpanAttributeArena;
///
/// let mut arena = SpanAttributeArena::new();
/// let text = arena.alloc_str("of this request");
/// arena.reset();
/// println!("{text}");
/// ```
///
/// Nor does a reference survive a move of the arena, or its end:
///
/// ```compile_fail,E0505
/// use zerospan_arena::SpanAttributeArena;
///
/// let arena = SpanAttributeArena::new();
/// let text = arena.alloc_str("of this request");
/// let moved = arena;
/// println!("{text}");
/// ```
///
/// ```compile_fail,E0515
/// use zerospan_arena::SpanAttributeArena;
///
/// fn escaping() -> &'static str {
///     let arena = SpanAttributeArena::new();
///     arena.alloc_str("of this call")
/// }
/// ```
///
/// An arena can be sent to another thread, with an idle request for instance, but not be shared by two: that is what
/// [`SharedAttributeArena`](crate::SharedAttributeArena) is for.
///
/// ```compile_fail,E0277
/// fn assert_sync<T: Sync>() {}
/// assert_sync::<zerospan_arena::SpanAttributeArena>();
/// ```
///
/// # What it allocates
///
/// A chunk when the present one is used up, of twice its size where there is that much. A reset turns several chunks into
/// one, so a use like an earlier one allocates nothing.
pub struct SpanAttributeArena {
    bump: Bump,
    retention: usize,
}

/// What a reset keeps where nothing else is asked for.
pub(crate) const RETENTION: usize = 1 << 20;

impl SpanAttributeArena {
    /// An arena that allocates its first chunk when it is first used. Does not allocate.
    pub fn new() -> Self {
        Self {
            bump: Bump::new(),
            retention: RETENTION,
        }
    }

    /// An arena with room for `capacity` bytes, which a reset keeps. Allocates once; not at all for 0.
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
        let bump =
            Bump::try_with_capacity(capacity).map_err(|_| LimitError::new(capacity, 0, None))?;
        Ok(Self {
            retention: RETENTION.max(bump.allocated_bytes()),
            bump,
        })
    }

    /// An arena that never holds more than `limit` bytes of heap memory for its content. Does not allocate.
    ///
    /// Memory comes in chunks of half a KiB and more, whose tails may stay unused: what is refused, is refused somewhat
    /// before the content alone reaches the limit. A limit of 0 takes nothing but empty texts. Call
    /// [`try_reserve`](Self::try_reserve) for a chunk that is large enough from the start.
    pub fn with_limit(limit: usize) -> Self {
        let arena = Self::new();
        arena.bump.set_allocation_limit(Some(limit));
        arena
    }

    /// Has a reset keep at most `bytes` of memory: 1 MiB, or the arena's first capacity, unless this is called.
    ///
    /// Where a use needs more, each one allocates anew. The smallest chunk is about half a KiB: below that, a reset
    /// keeps nothing.
    #[must_use]
    pub fn with_retention_limit(mut self, bytes: usize) -> Self {
        self.retention = bytes;
        self
    }

    /// The most heap memory that the arena may hold, in bytes; `None` where only the system sets a limit.
    pub fn limit(&self) -> Option<usize> {
        self.bump.allocation_limit()
    }

    /// Copies `text` into the arena.
    ///
    /// # Panics
    ///
    /// Where [`try_alloc_str`](Self::try_alloc_str) returns an error: only in an arena with a limit, or without memory.
    #[inline]
    #[track_caller]
    pub fn alloc_str(&self, text: &str) -> &str {
        match self.bump.try_alloc_str(text) {
            Ok(text) => text,
            Err(_) => self.refuses(text.len()).panic(),
        }
    }

    /// Copies `text` into the arena.
    ///
    /// # Errors
    ///
    /// [`LimitError`] if the limit is reached, or the system has no more memory. The arena stays as it was.
    #[inline]
    pub fn try_alloc_str(&self, text: &str) -> Result<&str, LimitError> {
        match self.bump.try_alloc_str(text) {
            Ok(text) => Ok(text),
            Err(_) => Err(self.refuses(text.len())),
        }
    }

    /// Copies a slice of numbers, booleans or references into the arena.
    ///
    /// # Errors
    ///
    /// As [`try_alloc_str`](Self::try_alloc_str).
    #[inline]
    pub fn try_alloc_slice<T: Copy>(&self, values: &[T]) -> Result<&[T], LimitError> {
        match self.bump.try_alloc_slice_copy(values) {
            Ok(values) => Ok(values),
            Err(_) => Err(self.refuses(size_of_val(values))),
        }
    }

    /// Copies many strings and the list of them into the arena.
    ///
    /// # Examples
    ///
    /// ```
    /// use zerospan_arena::SpanAttributeArena;
    ///
    /// let arena = SpanAttributeArena::new();
    /// let hosts = vec![String::from("a.example"), String::from("b.example")];
    /// assert_eq!(arena.try_alloc_strs(&hosts), Ok(&["a.example", "b.example"][..]));
    /// ```
    ///
    /// # Errors
    ///
    /// As [`try_alloc_str`](Self::try_alloc_str). What was copied before the error stays in the arena, out of reach, until
    /// the next reset.
    #[inline]
    pub fn try_alloc_strs<S: AsRef<str>>(&self, strings: &[S]) -> Result<&[&str], LimitError> {
        self.copy_strings(strings.iter().map(AsRef::as_ref))
    }

    #[inline]
    pub(crate) fn copy_strings<'s>(
        &self,
        strings: impl ExactSizeIterator<Item = &'s str>,
    ) -> Result<&[&str], LimitError> {
        let count = strings.len();
        let mut list = BumpVec::new_in(&self.bump);
        if list.try_reserve_exact(count).is_err() {
            return Err(self.refuses(size_of::<&str>().saturating_mul(count)));
        }
        for string in strings {
            list.push(self.try_alloc_str(string)?);
        }
        Ok(list.into_bump_slice())
    }

    /// Makes sure that the next `bytes` of text fit without another chunk. Allocates where they do not.
    ///
    /// # Errors
    ///
    /// As [`try_alloc_str`](Self::try_alloc_str).
    #[inline]
    pub fn try_reserve(&self, bytes: usize) -> Result<(), LimitError> {
        if self.bump.chunk_capacity() >= bytes {
            return Ok(());
        }
        self.grow(bytes)
    }

    /// Opens a chunk that has `bytes` left: a vector takes them, and gives them back at once.
    #[cold]
    #[inline(never)]
    fn grow(&self, bytes: usize) -> Result<(), LimitError> {
        BumpVec::<u8>::new_in(&self.bump)
            .try_reserve_exact(bytes)
            .map_err(|_| self.refuses(bytes))
    }

    /// Lends the arena for one scope; it is reset when the guard is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use zerospan_arena::SpanAttributeArena;
    ///
    /// let mut arena = SpanAttributeArena::new();
    /// {
    ///     let request = arena.guard();
    ///     assert_eq!(request.alloc_str("/users/42"), "/users/42");
    /// }
    /// assert_eq!(arena.allocated_bytes(), 0);
    /// ```
    #[inline]
    pub fn guard(&mut self) -> ArenaGuard<'_> {
        ArenaGuard::new(self)
    }

    /// Frees all content at once, and keeps the memory, up to what [`with_retention_limit`](Self::with_retention_limit) allows.
    ///
    /// Where one chunk was enough, this writes one pointer. After a use that took several it frees them and allocates one,
    /// as large as all of them, so that the next such use allocates nothing. If the system has no such memory, the arena
    /// is left without a chunk, and allocates at the next use.
    #[inline]
    pub fn reset(&mut self) {
        let used = self.bump.allocated_bytes();
        self.bump.reset();
        let kept = self.bump.allocated_bytes();
        if kept != used || kept > self.retention {
            self.settle(used, kept);
        }
    }

    /// Brings the memory down to one chunk of about `used` bytes, and at most what may be kept.
    #[cold]
    #[inline(never)]
    fn settle(&mut self, used: usize, kept: usize) {
        let limit = self.bump.allocation_limit();
        let most = self.retention.min(limit.unwrap_or(usize::MAX));
        if used > most && kept <= most {
            // A use beyond what may be kept is to be expected again: do not allocate at each reset as well.
            return;
        }
        // The old chunk goes first: both at once might be more than the limit.
        self.bump = Bump::new();
        self.bump = one_chunk(used.min(most), most);
        self.bump.set_allocation_limit(limit);
    }

    /// The bytes of this use: what was handed out, what aligned it, and the tails of chunks that were used up.
    #[inline]
    pub fn allocated_bytes(&self) -> usize {
        self.bump.allocated_bytes() - self.bump.chunk_capacity()
    }

    /// The bytes that the arena can hand out, used ones included, before it allocates another chunk.
    pub fn capacity(&self) -> usize {
        self.bump.allocated_bytes()
    }

    #[inline]
    pub(crate) fn bump(&self) -> &Bump {
        &self.bump
    }

    /// The error for a request of `bytes` that the memory refused.
    #[cold]
    #[inline(never)]
    pub(crate) fn refuses(&self, bytes: usize) -> LimitError {
        LimitError::new(
            bytes,
            self.bump.allocated_bytes(),
            self.bump.allocation_limit(),
        )
    }
}

/// Memory of one chunk with room for `wanted` bytes, or as near below as `most` allows: chunks are rounded up.
fn one_chunk(wanted: usize, most: usize) -> Bump {
    /// By how much a chunk of a page and more is rounded up, at most.
    const PAGE: usize = 4096;
    let halves = std::iter::successors(Some(wanted), |size| Some(size / 2));
    let sizes = [wanted, wanted.saturating_sub(PAGE)]
        .into_iter()
        .chain(halves.skip(1))
        .take_while(|size| *size > 0);
    for size in sizes {
        match Bump::try_with_capacity(size) {
            Ok(bump) if bump.allocated_bytes() <= most => return bump,
            _ => {}
        }
    }
    Bump::new()
}

impl Default for SpanAttributeArena {
    fn default() -> Self {
        Self::new()
    }
}

/// As the inherent [`reset`](SpanAttributeArena::reset): after a use of several chunks, and then alone, it allocates one.
impl Reset for SpanAttributeArena {
    #[inline]
    fn reset(&mut self) {
        SpanAttributeArena::reset(self);
    }
}

/// Counts the chunks, with what the allocator of the arena keeps in them for itself.
impl Footprint for SpanAttributeArena {
    fn heap_bytes(&self) -> usize {
        self.bump.allocated_bytes_including_metadata()
    }
}

/// Says how full the arena is, not what is in it.
impl fmt::Debug for SpanAttributeArena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpanAttributeArena")
            .field("allocated_bytes", &self.allocated_bytes())
            .field("capacity", &self.capacity())
            .field("limit", &self.limit())
            .finish_non_exhaustive()
    }
}
