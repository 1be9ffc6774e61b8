use super::arena::SpanAttributeArena;
use std::ops::Deref;

/// A guard that resets its arena when it is dropped.
///
/// Allocate through the guard, which dereferences to the arena. Nothing that is allocated through it can outlive it:
///
/// ```compile_fail,E0505
/// use zerospan_arena::SpanAttributeArena;
///
/// let mut arena = SpanAttributeArena::new();
/// let guard = arena.guard();
/// let text = guard.alloc_str("of this scope");
/// drop(guard);
/// println!("{text}");
/// ```
///
/// The arena cannot be used directly while the guard lives:
///
/// ```compile_fail,E0502
/// use zerospan_arena::SpanAttributeArena;
///
/// let mut arena = SpanAttributeArena::new();
/// let guard = arena.guard();
/// let text = arena.alloc_str("not through the guard");
/// drop(guard);
/// ```
///
/// A forgotten guard ([`std::mem::forget`]) resets nothing: its content occupies the arena until the next reset.
#[derive(Debug)]
pub struct ArenaGuard<'g> {
    arena: &'g mut SpanAttributeArena,
}

impl SpanAttributeArena {
    /// Borrows the arena for one scope; the guard resets it when it is dropped.
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
        ArenaGuard { arena: self }
    }
}

impl Deref for ArenaGuard<'_> {
    type Target = SpanAttributeArena;

    #[inline]
    fn deref(&self) -> &SpanAttributeArena {
        self.arena
    }
}

/// Resets the arena, also during a panic. Allocates as [`SpanAttributeArena::reset`] does.
impl Drop for ArenaGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        self.arena.reset();
    }
}
