use crate::error::LimitError;
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;
use std::fmt;
use zerospan_core::{Footprint, Reset};

/// Text and attribute sets of one request in one arena, freed by one reset.
///
/// Allocation takes `&self` and moves one pointer. The reset takes `&mut self`, so that the compiler rejects a reference
/// that is still in use:
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
/// Nor can a reference outlive a move of the arena, or the arena:
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
/// An arena is `Send` and not `Sync`. [`SharedAttributeArena`](crate::SharedAttributeArena) is for several threads.
///
/// ```compile_fail,E0277
/// fn assert_sync<T: Sync>() {}
/// assert_sync::<zerospan_arena::SpanAttributeArena>();
/// ```
///
/// # What it allocates
///
/// A chunk when the current one is used up, of twice its size if there is that much memory. A reset merges several chunks
/// into one, so that a repeated use does not allocate.
pub struct SpanAttributeArena {
    bump: Bump,
    retention_limit: usize,
}

/// The default retention limit, in bytes.
pub(crate) const DEFAULT_RETENTION_LIMIT: usize = 1 << 20;

impl SpanAttributeArena {
    /// Builds an empty arena, which allocates its first chunk on first use. Does not allocate.
    pub fn new() -> Self {
        Self {
            bump: Bump::new(),
            retention_limit: DEFAULT_RETENTION_LIMIT,
        }
    }

    /// Builds an arena with room for `capacity` bytes, which a reset keeps. Allocates once, or not at all for 0.
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
        let bump =
            Bump::try_with_capacity(capacity).map_err(|_| LimitError::new(capacity, 0, None))?;
        Ok(Self {
            retention_limit: DEFAULT_RETENTION_LIMIT.max(bump.allocated_bytes()),
            bump,
        })
    }

    /// Builds an arena that never holds more than `limit` bytes of heap memory for its content. Does not allocate.
    ///
    /// Memory is allocated in chunks of 512 bytes and more, whose ends may stay unused: an allocation may be rejected
    /// before the content reaches the limit. With a limit of 0 only empty texts are accepted. Call
    /// [`try_reserve`](Self::try_reserve) for a chunk that is large enough from the start.
    pub fn with_limit(limit: usize) -> Self {
        let arena = Self::new();
        arena.bump.set_allocation_limit(Some(limit));
        arena
    }

    /// Keeps at most `bytes` of memory at a reset; 1 MiB, or the arena's first capacity if that is larger, by default.
    ///
    /// A use that needs more allocates each time. The smallest chunk has about 512 bytes: below that, a reset keeps
    /// nothing.
    #[must_use]
    pub fn with_retention_limit(mut self, bytes: usize) -> Self {
        self.retention_limit = bytes;
        self
    }

    /// Returns the maximum heap memory of the arena, in bytes; `None` if there is no limit.
    pub fn limit(&self) -> Option<usize> {
        self.bump.allocation_limit()
    }

    /// Copies `text` into the arena.
    ///
    /// # Panics
    ///
    /// If [`try_alloc_str`](Self::try_alloc_str) returns an error.
    #[inline]
    #[track_caller]
    pub fn alloc_str(&self, text: &str) -> &str {
        match self.bump.try_alloc_str(text) {
            Ok(text) => text,
            Err(_) => self.limit_error(text.len()).panic(),
        }
    }

    /// Copies `text` into the arena.
    ///
    /// # Errors
    ///
    /// [`LimitError`] if the limit is reached, or the system has no more memory. The arena is unchanged.
    #[inline]
    pub fn try_alloc_str(&self, text: &str) -> Result<&str, LimitError> {
        match self.bump.try_alloc_str(text) {
            Ok(text) => Ok(text),
            Err(_) => Err(self.limit_error(text.len())),
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
            Err(_) => Err(self.limit_error(size_of_val(values))),
        }
    }

    /// Copies strings and their list into the arena.
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
    /// As [`try_alloc_str`](Self::try_alloc_str). The strings copied before the error occupy the arena until the next
    /// reset.
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
            return Err(self.limit_error(size_of::<&str>().saturating_mul(count)));
        }
        for string in strings {
            list.push(self.try_alloc_str(string)?);
        }
        Ok(list.into_bump_slice())
    }

    /// Ensures that the next `bytes` of text fit into the current chunk. Allocates a chunk if they do not.
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

    /// Allocates a chunk with room for `bytes`: a vector reserves them, and its drop frees them at once.
    #[cold]
    #[inline(never)]
    fn grow(&self, bytes: usize) -> Result<(), LimitError> {
        BumpVec::<u8>::new_in(&self.bump)
            .try_reserve_exact(bytes)
            .map_err(|_| self.limit_error(bytes))
    }

    /// Frees all content at once. Keeps the memory, up to the [retention limit](Self::with_retention_limit).
    ///
    /// After a use of one chunk, writes one pointer. After a use of several, frees them and allocates one of their total
    /// size, so that the next such use does not allocate. If the system has not enough memory, the arena is left without a
    /// chunk, and allocates on the next use.
    #[inline]
    pub fn reset(&mut self) {
        let used = self.bump.allocated_bytes();
        self.bump.reset();
        let kept = self.bump.allocated_bytes();
        if kept != used || kept > self.retention_limit {
            self.consolidate(used, kept);
        }
    }

    /// Replaces the chunks by one of about `used` bytes, and at most the retention limit.
    #[cold]
    #[inline(never)]
    fn consolidate(&mut self, used: usize, kept: usize) {
        let limit = self.bump.allocation_limit();
        let max = self.retention_limit.min(limit.unwrap_or(usize::MAX));
        if used > max && kept <= max {
            // The next use is likely to exceed the retention limit too: do not allocate at each reset as well.
            return;
        }
        // First free the old chunk: both together may exceed the limit.
        self.bump = Bump::new();
        self.bump = one_chunk(used.min(max), max);
        self.bump.set_allocation_limit(limit);
    }

    /// Returns the bytes allocated since the last reset, including alignment and the unused ends of former chunks.
    #[inline]
    pub fn allocated_bytes(&self) -> usize {
        self.bump.allocated_bytes() - self.bump.chunk_capacity()
    }

    /// Returns the bytes of all chunks, including those allocated to content.
    pub fn capacity(&self) -> usize {
        self.bump.allocated_bytes()
    }

    #[inline]
    pub(crate) fn bump(&self) -> &Bump {
        &self.bump
    }

    /// Builds the error of a failed allocation of `bytes`.
    #[cold]
    #[inline(never)]
    pub(crate) fn limit_error(&self, bytes: usize) -> LimitError {
        LimitError::new(
            bytes,
            self.bump.allocated_bytes(),
            self.bump.allocation_limit(),
        )
    }
}

/// Allocates one chunk with room for `wanted` bytes, or for as many as `max` allows: the arena rounds chunks up.
fn one_chunk(wanted: usize, max: usize) -> Bump {
    /// The maximum by which a chunk of a page and more is rounded up.
    const PAGE: usize = 4096;
    let halves = std::iter::successors(Some(wanted), |size| Some(size / 2));
    let sizes = [wanted, wanted.saturating_sub(PAGE)]
        .into_iter()
        .chain(halves.skip(1))
        .take_while(|size| *size > 0);
    for size in sizes {
        match Bump::try_with_capacity(size) {
            Ok(bump) if bump.allocated_bytes() <= max => return bump,
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

/// Resets as the inherent [`reset`](SpanAttributeArena::reset) does, which allocates only after a use of several chunks.
impl Reset for SpanAttributeArena {
    #[inline]
    fn reset(&mut self) {
        SpanAttributeArena::reset(self);
    }
}

/// Counts the chunks, including the metadata in them.
impl Footprint for SpanAttributeArena {
    fn heap_bytes(&self) -> usize {
        self.bump.allocated_bytes_including_metadata()
    }
}

/// Prints sizes, not contents.
impl fmt::Debug for SpanAttributeArena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpanAttributeArena")
            .field("allocated_bytes", &self.allocated_bytes())
            .field("capacity", &self.capacity())
            .field("limit", &self.limit())
            .finish_non_exhaustive()
    }
}
