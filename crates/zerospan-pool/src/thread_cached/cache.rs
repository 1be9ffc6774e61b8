use super::share::{MAX_CACHED, Share};
use super::shared::{CacheCounters, Shared};
use crate::thread_states::{OwnerId, ThreadState, ThreadStates};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::mem;
use std::sync::{Arc, Weak};

/// One thread's caches of the thread-cached pools of one object type and key.
///
/// Lives in a thread-local that [`thread_cache!`](crate::thread_cache) declares. When the thread ends, its objects move
/// to the depots of their pools. Objects of a dropped pool are freed when the thread next uses a pool of this key, and
/// when it ends.
pub struct ThreadCaches<T>(ThreadStates<Cache<T>>);

/// One thread's cache of one pool.
pub(super) struct Cache<T> {
    /// The units of the pool's capacity that the cache may use.
    quota: Cell<usize>,
    counters: Arc<CacheCounters>,
    /// With an object below `counters.len()`, without from there on. One more than objects, for what all of them weigh.
    slots: Box<[CacheSlot<T>]>,
    shared: RefCell<Weak<Shared<T>>>,
}

struct CacheSlot<T> {
    object: Cell<Option<T>>,
    /// The units that the objects in the slots before this one weigh, if each of these has one.
    weight_before: Cell<usize>,
}

impl<T> ThreadCaches<T> {
    /// Builds an empty list. Does not allocate; the first use of each pool allocates its cache.
    #[must_use]
    pub const fn new() -> Self {
        Self(ThreadStates::new())
    }

    /// Returns this thread's cache of the pool, if the thread has used it and no sweep is due. Runs no user code.
    #[inline]
    pub(super) fn get(&self, pool: OwnerId) -> Option<&Cache<T>> {
        if self.0.is_sweep_due() {
            return None;
        }
        self.0.get(pool)
    }

    /// Returns this thread's cache of the pool, if the thread has used it, after a sweep if one is due.
    pub(super) fn sweep_and_get(&self, pool: OwnerId) -> Option<&Cache<T>> {
        self.0.sweep_if_due();
        self.0.get(pool)
    }

    /// Frees the caches of dropped pools, if one was dropped since the last look.
    pub(super) fn sweep_if_due(&self) {
        self.0.sweep_if_due();
    }

    /// Returns this thread's cache of the pool, after a sweep if one is due. Adds it if the thread has not used the pool yet.
    #[cold]
    pub(super) fn sweep_and_register(&self, pool: OwnerId, shared: &Arc<Shared<T>>) -> &Cache<T> {
        self.0.register(pool, shared)
    }
}

impl<T> Default for ThreadCaches<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for ThreadCaches<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|cache| cache.counters.len()))
            .finish()
    }
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self {
            quota: Cell::new(0),
            counters: Arc::default(),
            slots: (0..=MAX_CACHED)
                .map(|_| CacheSlot {
                    object: Cell::new(None),
                    weight_before: Cell::new(0),
                })
                .collect(),
            shared: RefCell::new(Weak::new()),
        }
    }
}

impl<T> ThreadState for Cache<T> {
    type Owner = Arc<Shared<T>>;
    /// The objects of a dropped pool, and the shared part of one that is dropped meanwhile.
    type Garbage = (Vec<T>, Option<Arc<Shared<T>>>);

    fn bind(&self, shared: &Arc<Shared<T>>) {
        shared.register(&self.counters);
        self.shared.replace(Arc::downgrade(shared));
    }

    fn is_stale(&self) -> bool {
        self.shared.borrow().strong_count() == 0
    }

    fn unbind(&self) -> Self::Garbage {
        let shared = self.shared.replace(Weak::new()).upgrade();
        if let Some(shared) = &shared {
            self.flush(shared);
            shared.unregister(&self.counters);
        }
        let orphans = self.drain().map(|(object, _)| object).collect();
        self.quota.set(0);
        self.counters.clear();
        (orphans, shared)
    }

    fn forget(&self) {
        mem::forget(self.drain().collect::<Vec<_>>());
        self.quota.set(0);
        self.counters.clear();
        mem::forget(self.shared.replace(Weak::new()));
    }
}

impl<T> Cache<T> {
    /// Lends the object that was returned last.
    #[inline]
    pub(super) fn pop(&self) -> Option<T> {
        let object = self.pop_uncounted()?;
        self.counters.record_hit();
        Some(object)
    }

    #[inline]
    fn pop_uncounted(&self) -> Option<T> {
        let top = self.counters.len().checked_sub(1)?;
        let object = self.slots.get(top)?.object.take()?;
        self.counters.set_len(top);
        Some(object)
    }

    /// Returns the units that the first `count` objects weigh.
    fn weight_of(&self, count: usize) -> usize {
        self.slots
            .get(count)
            .map_or(0, |slot| slot.weight_before.get())
    }

    /// Returns the units that all objects weigh.
    fn used(&self) -> usize {
        self.weight_of(self.counters.len())
    }

    /// Keeps a returned object that weighs `weight`; hands it back if the quota is used up.
    #[inline]
    pub(super) fn push(&self, object: T, weight: usize) -> Result<(), T> {
        let len = self.counters.len();
        let Some([slot, next]) = self.slots.get(len..len + 2) else {
            return Err(object);
        };
        let used = slot.weight_before.get().saturating_add(weight);
        if used > self.quota.get() {
            return Err(object);
        }
        slot.object.set(Some(object));
        next.weight_before.set(used);
        self.counters.record_return(len + 1);
        Ok(())
    }

    /// Moves objects from the depot into the empty cache, and lends one of them.
    #[cold]
    #[inline(never)]
    pub(super) fn fill(&self, shared: &Shared<T>, share: Share) -> Option<T> {
        let (mut len, mut used) = (0, 0);
        let put = |object, weight| {
            if let Some([slot, next]) = self.slots.get(len..len + 2) {
                slot.object.set(Some(object));
                len += 1;
                used += weight;
                next.weight_before.set(used);
            }
        };
        let quota = self.quota.replace(0);
        let (lent, units) = shared
            .depot
            .fill(quota, share.batch(), share.batch_units(), put);
        self.quota.set(units);
        self.counters.set_len(len);
        if lent.is_some() {
            self.counters.record_hit();
        }
        lent
    }

    /// Makes room for an object that weighs `weight`: moves a batch to the depot if the cache has its full share, and reserves
    /// room in the pool. Returns `false` if the pool has none, or if the object takes more than the share.
    #[cold]
    #[inline(never)]
    pub(super) fn extend(&self, shared: &Shared<T>, share: Share, weight: usize) -> bool {
        if weight > share.units {
            return false;
        }
        let (quota, used, len) = (self.quota.get(), self.used(), self.counters.len());
        let is_full = len >= share.objects || used + weight > share.units;
        let (mut surplus, mut moved) = (0, 0);
        while is_full
            && (surplus < share.batch() || used - moved + weight > share.units)
            && surplus < len
        {
            surplus += 1;
            moved = used - self.weight_of(len - surplus);
        }
        // Each object takes its units along, so that what is unused stays.
        let min = (used + weight).saturating_sub(quota);
        let max = share.batch_units().max(min);
        let max = max.min(share.units + moved - quota);
        // The iterator is lazy: it drains only if the pool has room.
        let surplus = self.drain().take(surplus);
        let Some(lent) = shared.depot.extend(min, max, surplus) else {
            return false;
        };
        self.quota.set(quota - moved + lent);
        true
    }

    /// Moves all objects to the depot.
    pub(super) fn flush(&self, shared: &Shared<T>) {
        let unused = self.quota.replace(0) - self.used();
        shared.depot.close(self.drain(), unused);
    }

    /// Removes all objects, lazily.
    fn drain(&self) -> impl Iterator<Item = (T, usize)> {
        std::iter::from_fn(|| {
            let used = self.used();
            let object = self.pop_uncounted()?;
            Some((object, used - self.used()))
        })
    }
}
