use super::store_pool::{Store, StorePool, impl_store_pool};
use crossbeam_queue::ArrayQueue;
use std::error::Error;
use std::fmt;
use zerospan_core::DefaultRecycle;

/// A pool in one lock-free queue of fixed capacity ([`crossbeam_queue::ArrayQueue`]) that all threads share.
///
/// A returned object is available to every thread at once, first in, first out. Each acquire and each return costs a few
/// atomic operations on shared memory.
///
/// ```compile_fail,E0277
/// fn shareable<T: Sync>() {}
/// shareable::<zerospan_pool::ArrayQueuePool<Vec<std::rc::Rc<u8>>>>();
/// ```
pub struct ArrayQueuePool<T, R = DefaultRecycle>(StorePool<Queue<T>, R>);

/// `None` at capacity 0, which the queue does not support.
struct Queue<T>(Option<ArrayQueue<T>>);

/// The queue allocates its slots when it is built: a larger capacity is taken for a mistake.
const MAX_SLOTS: usize = 1 << 24;

impl<T> ArrayQueuePool<T> {
    /// Builds an empty pool of objects that implement `Default`, `Reset` and `Footprint`.
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
    /// Builds an empty pool of objects that `recycle` creates, resets and measures.
    ///
    /// Allocates a slot for each of `capacity` objects.
    ///
    /// # Errors
    ///
    /// If `capacity` is above 16,777,216.
    pub fn with_recycle(capacity: usize, recycle: R) -> Result<Self, QueueCapacityError> {
        if capacity > MAX_SLOTS {
            return Err(QueueCapacityError { capacity });
        }
        Ok(Self(StorePool::new(
            capacity,
            recycle,
            Queue::new(capacity),
        )))
    }
}

impl_store_pool!(ArrayQueuePool);

impl<T> Queue<T> {
    fn new(capacity: usize) -> Self {
        Self((capacity > 0).then(|| ArrayQueue::new(capacity)))
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

    fn empty(&self) -> Self {
        Self::new(self.0.as_ref().map_or(0, ArrayQueue::capacity))
    }
}

impl<T> Drop for Queue<T> {
    fn drop(&mut self) {
        // One by one: where an object's drop panics, the queue itself would leak all objects after it. The rest is freed
        // with the queue.
        while let Some(object) = self.pop() {
            drop(object);
        }
    }
}

/// The capacity of an [`ArrayQueuePool`] is above the limit.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueCapacityError {
    /// The requested capacity.
    pub capacity: usize,
}

impl fmt::Display for QueueCapacityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "capacity {} is too large for an ArrayQueuePool, which allocates every slot when it is built: use at most \
             {MAX_SLOTS}, or a ThreadCachedPool, which allocates none",
            self.capacity
        )
    }
}

impl Error for QueueCapacityError {}
