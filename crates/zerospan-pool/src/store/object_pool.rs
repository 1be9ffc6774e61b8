use super::store_pool::{Store, StorePool, impl_store_pool};
use zerospan_core::DefaultRecycle;
use zerospan_core::sync::{AtomicUsize, Ordering};

/// A pool over the [`object_pool`] crate: a stack under one lock that all threads share.
///
/// That crate has no bound, no reset and no counts; this type adds them. A returned object is available to every thread
/// at once, last in, first out. Each acquire and each return takes the lock.
///
/// ```compile_fail,E0277
/// fn shareable<T: Sync>() {}
/// shareable::<zerospan_pool::ObjectPool<Vec<std::rc::Rc<u8>>>>();
/// ```
pub struct ObjectPool<T, R = DefaultRecycle>(StorePool<Stack<T>, R>);

struct Stack<T> {
    objects: object_pool::Pool<T>,
    /// At least the length of `objects`: incremented before a push and decremented after a pop.
    len: AtomicUsize,
    capacity: usize,
}

impl<T> ObjectPool<T> {
    /// Builds an empty pool of objects that implement `Default`, `Reset` and `Footprint`.
    ///
    /// Does not allocate; `capacity` may be of any size.
    pub fn new(capacity: usize) -> Self {
        Self::with_recycle(capacity, DefaultRecycle)
    }
}

impl<T, R> ObjectPool<T, R> {
    /// Builds an empty pool of objects that `recycle` creates, resets and measures.
    ///
    /// Does not allocate; `capacity` may be of any size.
    pub fn with_recycle(capacity: usize, recycle: R) -> Self {
        Self(StorePool::new(capacity, recycle, Stack::new(capacity)))
    }
}

impl_store_pool!(ObjectPool);

impl<T> Stack<T> {
    fn new(capacity: usize) -> Self {
        Self {
            objects: object_pool::Pool::from_vec(Vec::new()),
            len: AtomicUsize::new(0),
            capacity,
        }
    }
}

impl<T> Store for Stack<T> {
    type Object = T;

    fn pop(&self) -> Option<T> {
        let (_, object) = self.objects.try_pull()?.detach();
        self.len.fetch_sub(1, Ordering::Relaxed);
        Some(object)
    }

    fn push(&self, object: T) -> Result<(), T> {
        let increment = |len: usize| (len < self.capacity).then(|| len + 1);
        match self
            .len
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, increment)
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

    fn empty(&self) -> Self {
        Self::new(self.capacity)
    }
}
