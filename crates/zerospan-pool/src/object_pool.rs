use crate::stats::{Tally, add};
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
pub struct ObjectPool<T, R = DefaultRecycle> {
    terms: Terms<R>,
    objects: object_pool::Pool<T>,
    /// At least as many as `objects` holds: raised before one goes in, lowered after one came out.
    held: AtomicUsize,
    tally: Tally,
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
        Self {
            terms: Terms::new(capacity, recycle),
            objects: object_pool::Pool::from_vec(Vec::new()),
            held: AtomicUsize::new(0),
            tally: Tally::default(),
        }
    }

    /// Keeps only objects that retain at most `bytes` of heap memory after their reset; 64 KiB unless set.
    #[must_use]
    pub fn with_retention_limit(mut self, bytes: usize) -> Self {
        self.terms.retention_limit = bytes;
        self
    }

    fn pop(&self) -> Option<T> {
        let (_, object) = self.objects.try_pull()?.detach();
        self.held.fetch_sub(1, Ordering::Relaxed);
        Some(object)
    }

    fn push(&self, object: T) -> Result<(), T> {
        let within = |held: usize| (held < self.terms.capacity).then(|| held + 1);
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
}

impl<T, R: Recycle<T>> Pool for ObjectPool<T, R> {
    type Object = T;

    fn take(&self) -> T {
        let (object, counter) = match self.pop() {
            Some(object) => (object, &self.tally.hits),
            None => (self.terms.recycle.create(), &self.tally.misses),
        };
        add(counter, 1);
        object
    }

    fn settle(&self, settlement: Settlement<T>) {
        let tally = &self.tally;
        let (dropped, counter) = match settlement {
            Settlement::Returned(object) => {
                match self.terms.renew(object, || add(&tally.panicked, 1)) {
                    Ok(object) => match self.push(object) {
                        Ok(()) => (None, &tally.returns),
                        Err(object) => (Some(object), &tally.full),
                    },
                    Err(object) => (Some(object), &tally.too_large),
                }
            }
            Settlement::Unwound(object) => (Some(object), &tally.panicked),
            Settlement::Detached => (None, &tally.detached),
        };
        add(counter, 1);
        drop(dropped);
    }

    fn capacity(&self) -> usize {
        self.terms.capacity
    }

    fn len(&self) -> usize {
        self.objects.len()
    }

    fn stats(&self) -> PoolStats {
        self.tally.snapshot()
    }

    fn warm_up(&self, count: usize) -> usize {
        let mut created = 0;
        while created < count && self.len() < self.terms.capacity {
            if self.push(self.terms.recycle.create()).is_err() {
                break;
            }
            add(&self.tally.warmed_up, 1);
            created += 1;
        }
        created
    }

    fn shrink(&self, keep: usize) -> usize {
        let mut freed = Vec::new();
        while self.len() > keep
            && let Some(object) = self.pop()
        {
            freed.push(object);
        }
        let count = freed.len();
        add(&self.tally.shrunk, count as u64);
        drop(freed);
        count
    }
}

impl<T, R: fmt::Debug> fmt::Debug for ObjectPool<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectPool")
            .field("terms", &self.terms)
            .field("len", &self.objects.len())
            .finish_non_exhaustive()
    }
}
