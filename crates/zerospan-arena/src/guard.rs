use crate::SpanAttributeArena;
use std::ops::Deref;

/// Lends an arena for one scope, and resets it when the scope ends.
///
/// Allocation goes through the guard, which dereferences to the arena. Nothing that was allocated through it outlives it:
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
/// While it lives, the arena cannot be used past it:
///
/// ```compile_fail,E0502
/// use zerospan_arena::SpanAttributeArena;
///
/// let mut arena = SpanAttributeArena::new();
/// let guard = arena.guard();
/// let text = arena.alloc_str("past the guard");
/// drop(guard);
/// ```
///
/// A guard that is forgotten ([`std::mem::forget`]) resets nothing: the content stays until the next reset, out of
/// reach.
#[derive(Debug)]
pub struct ArenaGuard<'g> {
    arena: &'g mut SpanAttributeArena,
}

impl<'g> ArenaGuard<'g> {
    pub(crate) fn new(arena: &'g mut SpanAttributeArena) -> Self {
        Self { arena }
    }
}

impl Deref for ArenaGuard<'_> {
    type Target = SpanAttributeArena;

    #[inline]
    fn deref(&self) -> &SpanAttributeArena {
        self.arena
    }
}

/// Resets the arena, also when a panic unwinds through the scope. Allocates as [`SpanAttributeArena::reset`] does.
impl Drop for ArenaGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        self.arena.reset();
    }
}
