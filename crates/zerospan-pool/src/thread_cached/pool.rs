use super::cache::Cache;
use super::room::Reservation;
use super::share::Share;
use super::shared::Shared;
use super::thread_cache::{AnyThread, ThreadCache};
use crate::base::config::{OnUnwind, PoolConfig, watch_forks};
use crate::base::stats::{Counters, PoolStats, add};
use crate::pool::{Pool, Return};
use crate::thread_states::{DropSignal, OwnerId};
use crate::trim::Trim;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Weak};
use zerospan_core::fork::PerProcess;
use zerospan_core::sync::AtomicU64;
use zerospan_core::{DefaultRecycle, Footprint, Recycle, Reset};

/// The default pool: each thread caches a few objects and trades them in batches with a depot that all threads share.
///
/// A thread's cache holds at most 32 objects, and at most an eighth of the capacity; a pool with a capacity below 8 has
/// no caches and locks its depot each time. Acquiring from the cache and returning to it touch nothing that threads
/// share.
///
/// - **Bounded.** Cached objects, and the room that caches have reserved for returns, count towards the capacity.
///   Therefore a thread may find the pool empty, or full, while other threads' caches have objects, or room: at most one
///   cache for each of these threads. A pool whose capacity is `threads × 32` above the number of objects in use is
///   never found full. [`flush`](Self::flush) empties a thread's cache before the thread idles.
/// - **A thread ends.** Its cached objects move to the depot. Pools work during the teardown of thread-locals too,
///   through the depot.
/// - **The process forks.** In the child the pool starts empty. It forgets the objects of the parent: they are neither lent
///   nor dropped there.
/// - **The pool is dropped.** The depot and the dropping thread's cache are freed at once. Every other thread frees its
///   own cache when it next uses a pool of the same key `K` (and type, for [`AnyThread`]), and when it ends; until then
///   it holds up to 32 objects of the dropped pool.
///
/// A thread that uses several pools of one key searches their caches in the order of their first use. The key is
/// [`AnyThread`] by default; one declared with [`thread_cache!`](crate::thread_cache) makes each use some nanoseconds
/// faster.
///
/// Objects are moved in and out: box large ones.
///
/// The pool is `Sync` if its objects are `Send`:
///
/// ```compile_fail,E0277
/// fn shareable<T: Sync>() {}
/// shareable::<zerospan_pool::ThreadCachedPool<Vec<std::rc::Rc<u8>>>>();
/// ```
///
/// Its objects need not be `Sync`, since only one thread has each:
///
/// ```
/// fn shareable<T: Send + Sync>() {}
/// shareable::<zerospan_pool::ThreadCachedPool<Vec<std::cell::Cell<u8>>>>();
/// ```
pub struct ThreadCachedPool<T: 'static, R = DefaultRecycle, K = AnyThread>
where
    K: ThreadCache<T>,
{
    config: PoolConfig<R>,
    /// The maximum weight of all objects, if they are weighed instead of counted.
    byte_limit: Option<usize>,
    share: Share,
    id: OwnerId,
    shared: PerProcess<Arc<Shared<T>>>,
    key: PhantomData<fn() -> K>,
    // After `shared`: caches are stale once it is dropped.
    _signal: DropSignal,
}

impl<T: 'static> ThreadCachedPool<T> {
    /// Builds an empty pool of objects that implement `Default`, `Reset` and `Footprint`.
    ///
    /// Allocates the same for every `capacity`, which may be of any size.
    pub fn new(capacity: usize) -> Self
    where
        T: Default + Reset + Footprint,
    {
        Self::with_recycle(capacity, DefaultRecycle)
    }
}

impl<T: 'static, R, K: ThreadCache<T>> ThreadCachedPool<T, R, K> {
    /// Builds an empty pool of objects that `recycle` creates, resets and measures.
    ///
    /// Allocates the same for every `capacity`, which may be of any size.
    pub fn with_recycle(capacity: usize, recycle: R) -> Self {
        watch_forks();
        Self {
            config: PoolConfig::new(capacity, recycle),
            byte_limit: None,
            share: Share::of_objects(capacity),
            id: OwnerId::unique(),
            shared: PerProcess::new(Arc::new(Shared::new(capacity))),
            key: PhantomData,
            _signal: DropSignal,
        }
    }

    /// Keeps only objects that retain at most `bytes` of heap memory after their reset; 64 KiB by default.
    #[must_use]
    pub fn with_retention_limit(mut self, bytes: usize) -> Self {
        self.config.retention_limit = bytes;
        self
    }

    /// Keeps objects of at most `bytes` together, in place of a number of objects: [`capacity`](Pool::capacity) is `usize::MAX`.
    ///
    /// An object takes its own size, and the heap memory that it retained when it was returned. A thread's cache holds at most
    /// 32 objects, at most 64 KiB, and at most an eighth of `bytes`.
    #[must_use]
    pub fn with_byte_limit(mut self, bytes: usize) -> Self {
        self.config.capacity = usize::MAX;
        self.byte_limit = Some(bytes);
        self.share = Share::of_bytes(bytes);
        self.shared = PerProcess::new(Arc::new(Shared::new(bytes)));
        self
    }

    /// Takes a part of the capacity for memory that belongs to the pool's objects while they are lent too. Returns `None` if
    /// there is none left.
    #[doc(hidden)]
    pub fn reserve(&self, units: usize) -> Option<Reservation> {
        Reservation::new(self.shared().depot.room(), units)
    }

    /// Returns the part that frees objects of the depot, for as long as the pool lives. A forked child has another.
    #[doc(hidden)]
    pub fn trimmed(&self) -> Weak<dyn Trim>
    where
        T: Send,
    {
        let shared: Weak<Shared<T>> = Arc::downgrade(self.shared());
        shared
    }

    /// Moves this thread's cached objects to the depot, where other threads find them. Call it before the thread idles.
    pub fn flush(&self) {
        let _ = K::try_with(|caches| {
            if let Some(cache) = caches.sweep_and_get(self.id) {
                cache.flush(self.shared());
            }
        });
    }

    /// Returns the part that the threads of this process share.
    #[inline]
    fn shared(&self) -> &Arc<Shared<T>> {
        self.shared
            .current_or_init(|| Arc::new(Shared::new(self.units())))
    }

    /// Returns the capacity: a number of objects, or of bytes.
    fn units(&self) -> usize {
        self.byte_limit.unwrap_or(self.config.capacity)
    }

    /// Returns the part of the capacity that an object takes.
    #[inline]
    fn weight(&self, heap_bytes: usize) -> usize {
        match self.byte_limit {
            None => 1,
            Some(_) => heap_bytes.saturating_add(size_of::<T>()).max(1),
        }
    }

    /// Takes an object from the depot, and a batch for the empty cache.
    #[cold]
    #[inline(never)]
    fn take_from_depot(&self) -> Option<T> {
        let cached = K::try_with(|caches| {
            if self.share.objects == 0 {
                caches.sweep_if_due();
                return None;
            }
            let cache = caches.sweep_and_register(self.id, self.shared());
            // Freeing the objects of a dropped pool may have returned objects here.
            if let Some(object) = cache.pop() {
                return Some(object);
            }
            cache.fill(self.shared(), self.share)
        });
        if let Some(Some(object)) = cached {
            return Some(object);
        }
        let object = self.shared().depot.take_one()?;
        add(&self.shared().counters.hits, 1);
        Some(object)
    }

    /// Keeps an object for which the cache has no room: extends the cache, or stores the object in the depot.
    #[cold]
    #[inline(never)]
    fn keep_in_depot(&self, object: T, weight: usize) {
        let mut object = Some(object);
        // Freeing the objects of a dropped pool may panic, and `object` is lost to that panic.
        let guard = OnUnwind(|| add(&self.shared().counters.panicked, 1));
        let _ = K::try_with(|caches| {
            if self.share.objects == 0 {
                return caches.sweep_if_due();
            }
            let cache = caches.sweep_and_register(self.id, self.shared());
            // Freeing the objects of a dropped pool may have made room here.
            object = object
                .take()
                .and_then(|kept| cache.push(kept, weight).err());
            if object.is_some() && cache.extend(self.shared(), self.share, weight) {
                object = object
                    .take()
                    .and_then(|kept| cache.push(kept, weight).err());
            }
        });
        std::mem::forget(guard);
        let Some(object) = object else { return };
        match self.shared().depot.put_one(object, weight) {
            Ok(()) => add(&self.shared().counters.returns, 1),
            Err(object) => {
                add(&self.shared().counters.full, 1);
                drop(object);
            }
        }
    }

    /// Keeps a reset object, if the capacity allows.
    #[inline]
    fn keep(&self, object: T, weight: usize) {
        let mut object = Some(object);
        let _ = K::try_with(|caches| {
            if let Some(cache) = caches.get(self.id)
                && let Some(kept) = object.take()
            {
                object = cache.push(kept, weight).err();
            }
        });
        if let Some(object) = object {
            self.keep_in_depot(object, weight);
        }
    }

    #[cold]
    #[inline(never)]
    fn discard(&self, object: T, counter: fn(&Counters) -> &AtomicU64) {
        add(counter(&self.shared().counters), 1);
        drop(object);
    }
}

impl<T: 'static, R, K: ThreadCache<T>> Drop for ThreadCachedPool<T, R, K> {
    fn drop(&mut self) {
        // The depot frees its objects when it is dropped.
        self.flush();
    }
}

impl<T: 'static, R: Recycle<T>, K: ThreadCache<T>> Pool for ThreadCachedPool<T, R, K> {
    type Object = T;

    #[inline]
    fn take(&self) -> T {
        let cached = K::try_with(|caches| caches.get(self.id).and_then(Cache::pop));
        if let Some(Some(object)) = cached {
            return object;
        }
        if let Some(object) = self.take_from_depot() {
            return object;
        }
        let object = self.config.recycle.create();
        add(&self.shared().counters.misses, 1);
        object
    }

    #[inline]
    fn put(&self, returned: Return<T>) {
        match returned {
            Return::Reuse(object) => {
                let on_panic = || add(&self.shared().counters.panicked, 1);
                match self.config.recycle(object, on_panic) {
                    Ok((object, heap_bytes)) => self.keep(object, self.weight(heap_bytes)),
                    Err(object) => self.discard(object, |counters| &counters.too_large),
                }
            }
            Return::Unwound(object) => self.discard(object, |counters| &counters.panicked),
            Return::Detached => add(&self.shared().counters.detached, 1),
        }
    }

    fn capacity(&self) -> usize {
        self.config.capacity
    }

    fn len(&self) -> usize {
        self.shared().len()
    }

    fn stats(&self) -> PoolStats {
        self.shared().stats()
    }

    /// Creates the objects in the depot, where every thread finds them.
    fn warm_up(&self, count: usize) -> usize {
        // Frees the room that this thread's cache has reserved.
        self.flush();
        let mut created = 0;
        let depot = &self.shared().depot;
        while created < count && !depot.room().is_empty() {
            let object = self.config.recycle.create();
            let weight = self.weight(self.config.recycle.heap_bytes(&object));
            if depot.put_one(object, weight).is_err() {
                break;
            }
            add(&self.shared().counters.warmed_up, 1);
            created += 1;
        }
        created
    }

    /// Frees objects of the depot and of this thread's cache; other threads' caches keep theirs.
    fn shrink(&self, keep: usize) -> usize {
        self.flush();
        let surplus = self.len().saturating_sub(keep);
        let freed = self.shared().depot.take(surplus);
        let count = freed.len();
        add(&self.shared().counters.shrunk, count as u64);
        drop(freed);
        count
    }
}

impl<T: 'static, R: fmt::Debug, K: ThreadCache<T>> fmt::Debug for ThreadCachedPool<T, R, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadCachedPool")
            .field("config", &self.config)
            .field("len", &self.shared().len())
            .finish_non_exhaustive()
    }
}
