use crate::{PoolStats, Pooled};
use std::sync::Arc;

/// Lends objects in their just-built state and takes them back.
///
/// Whatever the backend:
///
/// - It never keeps more than [`capacity`](Self::capacity) objects. What comes back to a full pool is dropped.
/// - An empty pool creates: [`acquire`](Self::acquire) never blocks for an object and never fails.
/// - An object that comes back is reset on the thread that returns it, and dropped instead of kept if it then retains
///   more heap memory than the retention limit.
/// - An object that was in use while its thread panicked is dropped and counted, since its owner was interrupted. So is
///   one whose reset panics; that panic goes on to whoever released the object.
/// - Creating, resetting, judging and dropping objects happens outside every lock and borrow of the pool, so that they
///   may use the pool themselves.
/// - Capacity 0 keeps nothing, and `usize::MAX` is as good as no limit; a retention limit of 0 keeps objects without
///   heap memory only.
///
/// A `Drop` of an object that panics behaves as it does elsewhere in Rust: the panic goes on, or aborts the process where
/// one is under way already. The pool stays usable and its counts exact.
pub trait Pool {
    /// What is lent.
    type Object;

    /// Takes an object out without a guard. Allocates what creating one allocates, if none is kept.
    ///
    /// For those who write guards of their own: [`settle`](Self::settle) must be told once what became of the object,
    /// or the object counts as lent for ever. [`acquire`](Self::acquire) does this by itself.
    fn take(&self) -> Self::Object;

    /// Says what became of an object that was [taken](Self::take). Does not allocate once the pool has been that full
    /// before.
    ///
    /// # Panics
    ///
    /// If resetting, judging or dropping the object panics.
    fn settle(&self, settlement: Settlement<Self::Object>);

    /// How many objects the pool keeps at most, all threads' caches included.
    fn capacity(&self) -> usize;

    /// How many objects the pool keeps now, all threads' caches included. Exact when no other thread uses the pool
    /// meanwhile; an object that moves from a cache to the depot just then may be counted twice.
    fn len(&self) -> usize;

    /// Whether the pool keeps no object now.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the pool has done so far.
    fn stats(&self) -> PoolStats;

    /// Creates up to `count` objects, as long as there is room, and keeps them; says how many.
    ///
    /// # Panics
    ///
    /// If creating an object panics; those created before stay.
    fn warm_up(&self, count: usize) -> usize;

    /// Frees kept objects until `keep` are left, and says how many it freed.
    ///
    /// # Panics
    ///
    /// If dropping an object panics; the others are freed nevertheless.
    fn shrink(&self, keep: usize) -> usize;

    /// Lends an object for as long as the pool is borrowed. Allocates only where no object is kept.
    #[inline]
    fn acquire(&self) -> Pooled<&Self>
    where
        Self: Sized,
    {
        Pooled::new(self)
    }

    /// Lends an object whose guard keeps the pool alive: for one that outlives the borrow, such as one that is sent to a
    /// thread. Costs two operations on the reference count that all owners share.
    #[inline]
    fn acquire_owned(self: &Arc<Self>) -> Pooled<Arc<Self>>
    where
        Self: Sized,
    {
        Pooled::new(Arc::clone(self))
    }
}

/// What became of an object that a pool lent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement<T> {
    /// It comes back, to be reset and kept.
    Returned(T),
    /// It comes back from a panic, to be dropped.
    Unwound(T),
    /// It stays with its holder.
    Detached,
}
