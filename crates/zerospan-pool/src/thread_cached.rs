mod cache;
mod key;
mod shared;

pub use cache::ThreadCaches;
pub use key::{AnyThread, ThreadCache};

use crate::stats::add;
use crate::terms::{Alarm, Terms};
use crate::{Pool, PoolStats, Settlement};
use cache::{Cache, MOST_CACHED, Obituary};
use shared::Shared;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use zerospan_core::{DefaultRecycle, Recycle};

/// The default pool: each thread keeps a few objects for itself, and trades them in batches with a depot that all share.
///
/// A thread's cache holds at most 32 objects, and at most an eighth of the capacity; a pool of a capacity below 8 has no
/// caches and locks its depot each time. Acquiring from and returning to the cache touches nothing that threads share.
///
/// - **Bounded.** What caches hold, and the room they have borrowed for what comes back, counts towards the capacity. So
///   a thread may find the pool empty, or full, although other threads' caches have objects, or room: by at most one cache
///   for each of them. A capacity of `threads × 32` above what is in use keeps it from finding the pool full.
///   [`flush`](Self::flush) hands a thread's cache over before the thread idles.
/// - **Threads end.** A thread's cache goes to the depot. Pools work during the teardown of thread-locals too, by way of
///   the depot.
/// - **The pool ends.** The depot and the dropping thread's cache are freed at once; other threads free theirs when they
///   next use a pool of the same key `K` (and type, for [`AnyThread`]), and when they end: until then a thread holds up
///   to 32 objects of a pool that is gone.
///
/// A thread that uses several pools of one key looks through their caches in the order of their first use. The key is
/// [`AnyThread`] unless one is declared with [`thread_cache!`](crate::thread_cache), which makes each use some
/// nanoseconds faster.
///
/// Objects are moved in and out: box those that are large.
///
/// The pool is shared between threads if its objects may be sent; an object that may not makes it unshareable:
///
/// ```compile_fail,E0277
/// fn shareable<T: Sync>() {}
/// shareable::<zerospan_pool::ThreadCachedPool<Vec<std::rc::Rc<u8>>>>();
/// ```
///
/// while objects that may be sent but not shared do no harm, since only one thread has each:
///
/// ```
/// fn shareable<T: Send + Sync>() {}
/// shareable::<zerospan_pool::ThreadCachedPool<Vec<std::cell::Cell<u8>>>>();
/// ```
pub struct ThreadCachedPool<T: 'static, R = DefaultRecycle, K = AnyThread>
where
    K: ThreadCache<T>,
{
    terms: Terms<R>,
    /// How many objects one thread may cache; 0 where the capacity is too small to share.
    most_cached: usize,
    number: u64,
    shared: Arc<Shared<T>>,
    key: PhantomData<fn() -> K>,
    // After `shared`: it tells threads that the pool is gone.
    _obituary: Obituary,
}

/// Caches take at most this part of the capacity each.
const SHARE: usize = 8;

static NEXT_NUMBER: AtomicU64 = AtomicU64::new(1);

impl<T: 'static> ThreadCachedPool<T> {
    /// An empty pool of objects that create, reset and judge themselves.
    ///
    /// Allocates its shared part, and nothing for its capacity, which may be of any size.
    pub fn new(capacity: usize) -> Self
    where
        T: Default + zerospan_core::Reset + zerospan_core::Footprint,
    {
        Self::with_recycle(capacity, DefaultRecycle)
    }
}

impl<T: 'static, R, K: ThreadCache<T>> ThreadCachedPool<T, R, K> {
    /// An empty pool of objects that `recycle` creates, resets and judges.
    ///
    /// Allocates its shared part, and nothing for its capacity, which may be of any size.
    pub fn with_recycle(capacity: usize, recycle: R) -> Self {
        Self {
            terms: Terms::new(capacity, recycle),
            most_cached: (capacity / SHARE).min(MOST_CACHED),
            number: NEXT_NUMBER.fetch_add(1, Ordering::Relaxed),
            shared: Arc::new(Shared::new(capacity)),
            key: PhantomData,
            _obituary: Obituary,
        }
    }

    /// Keeps only objects that retain at most `bytes` of heap memory after their reset; 64 KiB unless set.
    #[must_use]
    pub fn with_retention_limit(mut self, bytes: usize) -> Self {
        self.terms.retention_limit = bytes;
        self
    }

    /// Hands this thread's cache over to the depot, so that other threads can have it. For threads that will idle.
    pub fn flush(&self) {
        self.with_bound_cache(|cache| cache.flush(&self.shared));
    }

    /// Half a cache.
    fn batch(&self) -> usize {
        self.most_cached.div_ceil(2)
    }

    /// Runs `work` on this thread's cache where it has one already.
    fn with_bound_cache(&self, work: impl FnOnce(&Cache<T>)) {
        let _ = K::try_with(|caches| caches.get(self.number).map(work));
    }

    /// What the cache cannot give: from the depot, and a batch with it.
    #[cold]
    #[inline(never)]
    fn take_from_depot(&self) -> Option<T> {
        if self.most_cached > 0 {
            let cached = K::try_with(|caches| {
                let cache = match caches.get(self.number) {
                    Some(cache) => cache,
                    None => caches.bind(self.number, &self.shared),
                };
                // The sweep of a pool that is gone may have run code that returned objects here.
                if let Some(object) = cache.pop() {
                    return Some(object);
                }
                cache.fill(&self.shared, self.batch());
                cache.pop()
            });
            if let Some(object) = cached {
                return object;
            }
        }
        let object = self.shared.depot.take_one()?;
        add(&self.shared.tally.hits, 1);
        Some(object)
    }

    /// What the cache cannot take: room is borrowed for it, and a batch makes way.
    #[cold]
    #[inline(never)]
    fn put_to_depot(&self, object: T) {
        let mut object = Some(object);
        if self.most_cached > 0 {
            let on_panic = || add(&self.shared.tally.panicked, 1);
            let alarm = Alarm(&on_panic);
            let _ = K::try_with(|caches| {
                let cache = match caches.get(self.number) {
                    Some(cache) => cache,
                    None => caches.bind(self.number, &self.shared),
                };
                // The sweep of a pool that is gone may have run code that returned objects here.
                object = object
                    .take()
                    .and_then(|returned| cache.push(returned).err());
                if object.is_some() && cache.extend(&self.shared, self.batch(), self.most_cached) {
                    object = object
                        .take()
                        .and_then(|returned| cache.push(returned).err());
                }
            });
            std::mem::forget(alarm);
        }
        let Some(object) = object else { return };
        match self.shared.depot.put_one(object) {
            Ok(()) => add(&self.shared.tally.returns, 1),
            Err(object) => {
                add(&self.shared.tally.full, 1);
                drop(object);
            }
        }
    }

    #[inline]
    fn put(&self, object: T) {
        let mut object = Some(object);
        // Objects of a pool that is gone may be freed here, and a panic of theirs takes ours along.
        let on_panic = || add(&self.shared.tally.panicked, 1);
        let alarm = Alarm(&on_panic);
        let _ = K::try_with(|caches| {
            if let Some(cache) = caches.get(self.number)
                && let Some(returned) = object.take()
            {
                object = cache.push(returned).err();
            }
        });
        std::mem::forget(alarm);
        if let Some(object) = object {
            self.put_to_depot(object);
        }
    }

    #[cold]
    #[inline(never)]
    fn discard(&self, object: T, cause: &crate::sync::AtomicU64) {
        add(cause, 1);
        drop(object);
    }
}

impl<T: 'static, R, K: ThreadCache<T>> Drop for ThreadCachedPool<T, R, K> {
    fn drop(&mut self) {
        // What lies in the depot is freed with it.
        self.flush();
    }
}

impl<T: 'static, R: Recycle<T>, K: ThreadCache<T>> Pool for ThreadCachedPool<T, R, K> {
    type Object = T;

    #[inline]
    fn take(&self) -> T {
        let cached = K::try_with(|caches| caches.get(self.number).and_then(Cache::pop));
        if let Some(Some(object)) = cached {
            return object;
        }
        if let Some(object) = self.take_from_depot() {
            return object;
        }
        let object = self.terms.recycle.create();
        add(&self.shared.tally.misses, 1);
        object
    }

    #[inline]
    fn settle(&self, settlement: Settlement<T>) {
        let tally = &self.shared.tally;
        match settlement {
            Settlement::Returned(object) => {
                match self.terms.renew(object, || add(&tally.panicked, 1)) {
                    Ok(object) => self.put(object),
                    Err(object) => self.discard(object, &tally.too_large),
                }
            }
            Settlement::Unwound(object) => self.discard(object, &tally.panicked),
            Settlement::Detached => add(&tally.detached, 1),
        }
    }

    fn capacity(&self) -> usize {
        self.terms.capacity
    }

    fn len(&self) -> usize {
        self.shared.len()
    }

    fn stats(&self) -> PoolStats {
        self.shared.stats()
    }

    /// Fills the depot, from which threads fetch batches.
    fn warm_up(&self, count: usize) -> usize {
        // What this thread has borrowed and does not use is room as well.
        self.flush();
        let mut created = 0;
        while created < count && self.shared.depot.has_room() {
            if self
                .shared
                .depot
                .put_one(self.terms.recycle.create())
                .is_err()
            {
                break;
            }
            add(&self.shared.tally.warmed_up, 1);
            created += 1;
        }
        created
    }

    /// Frees from the depot and this thread's cache; what other threads cache stays with them.
    fn shrink(&self, keep: usize) -> usize {
        self.flush();
        let surplus = self.len().saturating_sub(keep);
        let freed = self.shared.depot.take(surplus);
        let count = freed.len();
        add(&self.shared.tally.shrunk, count as u64);
        drop(freed);
        count
    }
}

impl<T: 'static, R: fmt::Debug, K: ThreadCache<T>> fmt::Debug for ThreadCachedPool<T, R, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadCachedPool")
            .field("terms", &self.terms)
            .field("len", &self.shared.len())
            .finish_non_exhaustive()
    }
}
