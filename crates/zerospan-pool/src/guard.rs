use crate::{Pool, Settlement};
use std::fmt;
use std::ops::{Deref, DerefMut};

/// An object on loan: it goes back to its pool, once, when the guard is dropped.
///
/// `P` is what leads to the pool: a reference from [`Pool::acquire`], an [`Arc`](std::sync::Arc) from
/// [`Pool::acquire_owned`]. The guard may be sent wherever the object and that pointer may: an object may be acquired on
/// one thread and returned on another.
///
/// Dropped while its thread panics, it counts as [unwound](Settlement::Unwound) and the object is not used again.
/// Leaking a guard leaks its object, and harms nothing else.
///
/// A guard of a pool that is only borrowed does not outlive it:
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
/// A guard of an object that must stay on its thread stays there too, as does the pool itself:
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

    /// The object, for writing: the same as the dereference.
    #[inline]
    pub fn get_mut(&mut self) -> &mut <P::Target as Pool>::Object {
        self
    }

    /// The pool that the object goes back to.
    #[inline]
    pub fn pool(&self) -> &P::Target {
        &self.pool
    }

    /// Gives the object back here and now. Unlike a drop, this returns it also while the thread panics.
    ///
    /// # Panics
    ///
    /// If resetting, judging or dropping the object panics.
    #[inline]
    pub fn release(mut self) {
        if let Some(object) = self.object.take() {
            self.pool.settle(Settlement::Returned(object));
        }
    }

    /// Takes the object out of the pool for good, as it is.
    ///
    /// # Panics
    ///
    /// Never: a guard holds its object until it is consumed.
    #[inline]
    pub fn detach(mut self) -> <P::Target as Pool>::Object {
        match self.object.take() {
            Some(object) => {
                self.pool.settle(Settlement::Detached);
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
            self.pool.settle(if std::thread::panicking() {
                Settlement::Unwound(object)
            } else {
                Settlement::Returned(object)
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
