use crate::store::{Stocked, Store};
use crate::terms::Terms;
use crate::{Pool, PoolStats, Settlement};
use crossbeam_queue::ArrayQueue;
use std::error::Error;
use std::fmt;
use zerospan_core::{DefaultRecycle, Recycle};

/// A pool in one lock-free queue of fixed capacity ([`crossbeam_queue::ArrayQueue`]) that all threads share.
///
/// What any thread returns is at once there for every other, first in, first out; each acquire and each return costs a
/// few atomic operations on shared memory.
///
/// ```compile_fail,E0277
/// fn shareable<T: Sync>() {}
/// shareable::<zerospan_pool::ArrayQueuePool<Vec<std::rc::Rc<u8>>>>();
/// ```
pub struct ArrayQueuePool<T, R = DefaultRecycle>(Stocked<Queue<T>, R>);

/// `None` at capacity 0, which the queue does not have.
struct Queue<T>(Option<ArrayQueue<T>>);

/// The queue reserves its slots when it is built: beyond this many the capacity is rather a mistake.
const MOST_SLOTS: usize = 1 << 24;

impl<T> ArrayQueuePool<T> {
    /// An empty pool of objects that create, reset and judge themselves.
    ///
    /// Allocates a slot for each of `capacity` objects.
    ///
    /// # Errors
    ///
    /// If `capacity` is above 16,777,216.
    pub fn new(capacity: usize) -> Result<Self, QueueCapacityError> {
        Self::with_recycle(capacity, DefaultRecycle)
    }
}

impl<T, R> ArrayQueuePool<T, R> {
    /// An empty pool of objects that `recycle` creates, resets and judges.
    ///
    /// Allocates a slot for each of `capacity` objects.
    ///
    /// # Errors
    ///
    /// If `capacity` is above 16,777,216.
    pub fn with_recycle(capacity: usize, recycle: R) -> Result<Self, QueueCapacityError> {
        if capacity > MOST_SLOTS {
            return Err(QueueCapacityError { capacity });
        }
        let queue = Queue((capacity > 0).then(|| ArrayQueue::new(capacity)));
        Ok(Self(Stocked::new(Terms::new(capacity, recycle), queue)))
    }

    /// Keeps only objects that retain at most `bytes` of heap memory after their reset; 64 KiB unless set.
    #[must_use]
    pub fn with_retention_limit(mut self, bytes: usize) -> Self {
        self.0.terms.retention_limit = bytes;
        self
    }
}

impl<T, R: Recycle<T>> Pool for ArrayQueuePool<T, R> {
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

impl<T> Store for Queue<T> {
    type Object = T;

    fn pop(&self) -> Option<T> {
        self.0.as_ref()?.pop()
    }

    fn push(&self, object: T) -> Result<(), T> {
        match &self.0 {
            Some(queue) => queue.push(object),
            None => Err(object),
        }
    }

    fn len(&self) -> usize {
        self.0.as_ref().map_or(0, ArrayQueue::len)
    }
}

impl<T> Drop for Queue<T> {
    fn drop(&mut self) {
        // One by one, since the queue leaks what lies behind an object whose drop panics. What is left after that panic
        // is freed with the queue.
        while let Some(object) = self.pop() {
            drop(object);
        }
    }
}

impl<T, R: fmt::Debug> fmt::Debug for ArrayQueuePool<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArrayQueuePool")
            .field("terms", &self.0.terms)
            .field("len", &self.0.store.len())
            .finish_non_exhaustive()
    }
}

/// A capacity that an [`ArrayQueuePool`] will not reserve.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueCapacityError {
    /// The capacity that was asked for.
    pub capacity: usize,
}

impl fmt::Display for QueueCapacityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a queue of capacity {} would reserve that many slots at once: choose at most {MOST_SLOTS}, \
             or a ThreadCachedPool, which reserves none",
            self.capacity
        )
    }
}

impl Error for QueueCapacityError {}
