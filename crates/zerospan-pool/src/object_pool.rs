use crate::store::{Stocked, Store};
use crate::sync::{AtomicUsize, Ordering};
use crate::terms::Terms;
use crate::{Pool, PoolStats, Settlement};
use std::fmt;
use zerospan_core::{DefaultRecycle, Recycle};

/// A pool whose storage is the [`object_pool`] crate's: a stack under one lock that all threads share.
///
/// That crate neither bounds, resets nor counts; this type does. What any thread returns is at once there for every
/// other, last in, first out; each acquire and each return takes the lock.
///
/// ```compile_fail,E0277
/// fn shareable<T: Sync>() {}
/// shareable::<zerospan_pool::ObjectPool<Vec<std::rc::Rc<u8>>>>();
/// ```
pub struct ObjectPool<T, R = DefaultRecycle>(Stocked<Stack<T>, R>);

struct Stack<T> {
    objects: object_pool::Pool<T>,
    /// At least as many as `objects` holds: raised before one goes in, lowered after one came out.
    held: AtomicUsize,
    capacity: usize,
}

impl<T> ObjectPool<T> {
    /// An empty pool of objects that create, reset and judge themselves.
    ///
    /// Allocates nothing; `capacity` may be of any size.
    pub fn new(capacity: usize) -> Self {
        Self::with_recycle(capacity, DefaultRecycle)
    }
}

impl<T, R> ObjectPool<T, R> {
    /// An empty pool of objects that `recycle` creates, resets and judges.
    ///
    /// Allocates nothing; `capacity` may be of any size.
    pub fn with_recycle(capacity: usize, recycle: R) -> Self {
        let stack = Stack {
            objects: object_pool::Pool::from_vec(Vec::new()),
            held: AtomicUsize::new(0),
            capacity,
        };
        Self(Stocked::new(Terms::new(capacity, recycle), stack))
    }

    /// Keeps only objects that retain at most `bytes` of heap memory after their reset; 64 KiB unless set.
    #[must_use]
    pub fn with_retention_limit(mut self, bytes: usize) -> Self {
        self.0.terms.retention_limit = bytes;
        self
    }
}

impl<T, R: Recycle<T>> Pool for ObjectPool<T, R> {
    type Object = T;

    fn take(&self) -> T {
        self.0.take()
    }

    fn settle(&self, settlement: Settlement<T>) {
        self.0.settle(settlement);
    }

    fn capacity(&self) -> usize {
        self.0.terms.capacity
    }

    fn len(&self) -> usize {
        self.0.store.len()
    }

    fn stats(&self) -> PoolStats {
        self.0.stats()
    }

    fn warm_up(&self, count: usize) -> usize {
        self.0.warm_up(count)
    }

    fn shrink(&self, keep: usize) -> usize {
        self.0.shrink(keep)
    }
}

impl<T> Store for Stack<T> {
    type Object = T;

    fn pop(&self) -> Option<T> {
        let (_, object) = self.objects.try_pull()?.detach();
        self.held.fetch_sub(1, Ordering::Relaxed);
        Some(object)
    }

    fn push(&self, object: T) -> Result<(), T> {
        let within = |held: usize| (held < self.capacity).then(|| held + 1);
        match self
            .held
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, within)
        {
            Ok(_) => {
                self.objects.attach(object);
                Ok(())
            }
            Err(_) => Err(object),
        }
    }

    fn len(&self) -> usize {
        self.objects.len()
    }
}

impl<T, R: fmt::Debug> fmt::Debug for ObjectPool<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectPool")
            .field("terms", &self.0.terms)
            .field("len", &self.0.store.len())
            .finish_non_exhaustive()
    }
}
