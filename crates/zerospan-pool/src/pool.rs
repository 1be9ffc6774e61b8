use crate::base::stats::PoolStats;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// Lends objects in their initial state and takes them back.
///
/// Every pool of this crate keeps these rules:
///
/// - It never keeps more than [`capacity`](Self::capacity) objects. An object returned to a full pool is dropped.
/// - An empty pool creates: [`acquire`](Self::acquire) never blocks for an object and never fails.
/// - A returned object is reset on the thread that returns it, and dropped instead of kept if it then retains more heap
///   memory than the retention limit.
/// - An object that was in use while its thread panicked is dropped and counted, since its state is unknown. So is an
///   object whose reset panics; that panic continues in the code that returned the object.
/// - Objects are created, reset, measured and dropped outside every lock and borrow of the pool, so that their code may
///   use the pool.
/// - Capacity 0 keeps nothing, and `usize::MAX` is no limit; a retention limit of 0 keeps only objects without heap
///   memory.
///
/// An object whose `Drop` panics behaves as elsewhere in Rust: the panic continues, or aborts the process if another is
/// already unwinding. The pool stays usable and its counts exact.
pub trait Pool {
    /// The pooled objects.
    type Object;

    /// Takes an object out without a guard. Creates one if the pool is empty, which allocates what `T` allocates.
    ///
    /// For guard types outside this crate: call [`put`](Self::put) exactly once for each object, or the object counts as
    /// lent forever. [`acquire`](Self::acquire) does that by itself.
    fn take(&self) -> Self::Object;

    /// Returns an object that was [taken](Self::take), or reports that it does not come back. Does not allocate once the
    /// pool has held as many objects before.
    ///
    /// # Panics
    ///
    /// If resetting, measuring or dropping the object panics.
    fn put(&self, returned: Return<Self::Object>);

    /// Returns the maximum number of objects that the pool keeps, including all threads' caches.
    fn capacity(&self) -> usize;

    /// Returns the number of objects that the pool keeps, including all threads' caches.
    ///
    /// Exact while no other thread uses the pool; an object that moves from a cache to the depot meanwhile may be counted
    /// twice.
    fn len(&self) -> usize;

    /// Returns `true` if the pool keeps no object.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the counts of the pool's operations since it was built.
    fn stats(&self) -> PoolStats;

    /// Creates up to `count` objects and keeps them, as far as the capacity allows. Returns the number created.
    ///
    /// # Panics
    ///
    /// If creating an object panics; the pool keeps the objects created before.
    fn warm_up(&self, count: usize) -> usize;

    /// Frees kept objects until `keep` are left. Returns the number freed.
    ///
    /// # Panics
    ///
    /// If dropping an object panics; the other objects are freed nevertheless.
    fn shrink(&self, keep: usize) -> usize;

    /// Lends an object for as long as the pool is borrowed. Allocates only if the pool is empty.
    #[inline]
    fn acquire(&self) -> Pooled<&Self>
    where
        Self: Sized,
    {
        Pooled::new(self)
    }

    /// Lends an object with a guard that keeps the pool alive, for a guard that must outlive the borrow. Costs two
    /// operations on the pool's reference count, which all threads share.
    #[inline]
    fn acquire_owned(self: &Arc<Self>) -> Pooled<Arc<Self>>
    where
        Self: Sized,
    {
        Pooled::new(Arc::clone(self))
    }
}

/// The outcome of a loan, for [`Pool::put`].
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Return<T> {
    /// The object comes back, to be reset and kept.
    Reuse(T),
    /// A panic unwound through the loan: the object is to be dropped.
    Unwound(T),
    /// The object stays with its holder.
    Detached,
}

/// A guard of an object on loan: returns the object to its pool when it is dropped.
///
/// `P` points to the pool: a reference from [`Pool::acquire`], an [`Arc`] from [`Pool::acquire_owned`]. The guard is
/// `Send` if the object and that pointer are: an object may be acquired on one thread and returned on another.
///
/// A guard dropped while its thread panics discards the object, as [`Return::Unwound`]. Leaking a guard leaks its object
/// and harms nothing else.
///
/// A guard that borrows its pool cannot outlive it:
///
/// ```compile_fail,E0505
/// use zerospan_pool::{Pool, ThreadCachedPool};
///
/// let pool = ThreadCachedPool::<String>::new(8);
/// let text = pool.acquire();
/// drop(pool);
/// println!("{}", *text);
/// ```
///
/// A guard is `Send` and `Sync` only if its object is:
///
/// ```compile_fail,E0277
/// use std::rc::Rc;
/// use zerospan_pool::{Pooled, ThreadCachedPool};
///
/// fn sendable<T: Send>() {}
/// sendable::<Pooled<&ThreadCachedPool<Vec<Rc<u8>>>>>();
/// ```
///
/// ```compile_fail,E0277
/// use std::cell::Cell;
/// use zerospan_pool::{Pooled, ThreadCachedPool};
///
/// fn shareable<T: Sync>() {}
/// shareable::<Pooled<&ThreadCachedPool<Vec<Cell<u8>>>>>();
/// ```
pub struct Pooled<P>
where
    P: Deref,
    P::Target: Pool,
{
    /// `None` only after `release` or `detach`, which consume the guard.
    object: Option<<P::Target as Pool>::Object>,
    pool: P,
}

impl<P> Pooled<P>
where
    P: Deref,
    P::Target: Pool,
{
    #[inline]
    pub(crate) fn new(pool: P) -> Self {
        Self {
            object: Some(pool.take()),
            pool,
        }
    }

    /// Returns the object for writing, as the dereference does.
    #[inline]
    pub fn get_mut(&mut self) -> &mut <P::Target as Pool>::Object {
        self
    }

    /// Returns the pool that the object belongs to.
    #[inline]
    pub fn pool(&self) -> &P::Target {
        &self.pool
    }

    /// Returns the object to the pool. Unlike a drop, does so also while the thread panics.
    ///
    /// # Panics
    ///
    /// If resetting, measuring or dropping the object panics.
    #[inline]
    pub fn release(mut self) {
        if let Some(object) = self.object.take() {
            self.pool.put(Return::Reuse(object));
        }
    }

    /// Takes the object out of the guard, without a reset: it does not return to the pool.
    #[inline]
    pub fn detach(mut self) -> <P::Target as Pool>::Object {
        match self.object.take() {
            Some(object) => {
                self.pool.put(Return::Detached);
                object
            }
            None => unreachable!("a guard holds its object until it is consumed"),
        }
    }
}

impl<P> Drop for Pooled<P>
where
    P: Deref,
    P::Target: Pool,
{
    #[inline]
    fn drop(&mut self) {
        if let Some(object) = self.object.take() {
            self.pool.put(if std::thread::panicking() {
                Return::Unwound(object)
            } else {
                Return::Reuse(object)
            });
        }
    }
}

impl<P> Deref for Pooled<P>
where
    P: Deref,
    P::Target: Pool,
{
    type Target = <P::Target as Pool>::Object;

    #[inline]
    fn deref(&self) -> &Self::Target {
        match &self.object {
            Some(object) => object,
            None => unreachable!("a guard holds its object until it is consumed"),
        }
    }
}

impl<P> DerefMut for Pooled<P>
where
    P: Deref,
    P::Target: Pool,
{
    #[inline]
    fn deref_mut(&mut self) -> &mut Self::Target {
        match &mut self.object {
            Some(object) => object,
            None => unreachable!("a guard holds its object until it is consumed"),
        }
    }
}

impl<P> fmt::Debug for Pooled<P>
where
    P: Deref,
    P::Target: Pool,
    <P::Target as Pool>::Object: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pooled").field(&**self).finish()
    }
}
