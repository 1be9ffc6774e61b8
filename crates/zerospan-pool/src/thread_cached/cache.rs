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
    /// The number of objects that the cache may hold, in units of the pool's capacity. At most the length of `slots`.
    quota: Cell<usize>,
    counters: Arc<CacheCounters>,
    /// `Some` below `counters.len()`, `None` from there on.
    slots: Box<[Cell<Option<T>>]>,
    shared: RefCell<Weak<Shared<T>>>,
}

/// The maximum number of objects in one thread's cache of one pool.
pub(super) const MAX_CACHED: usize = 32;

impl<T> ThreadCaches<T> {
    /// Builds an empty list. Does not allocate; the first use of each pool allocates its cache.
    #[must_use]
    pub const fn new() -> Self {
        Self(ThreadStates::new())
    }

    /// Returns this thread's cache of the pool, if the thread has used it.
    #[inline]
    pub(super) fn get(&self, pool: OwnerId) -> Option<&Cache<T>> {
        self.0.sweep_if_due();
        self.0.get(pool)
    }

    /// Returns this thread's cache of the pool, which is added if the thread has not used the pool yet.
    #[cold]
    pub(super) fn get_or_register(&self, pool: OwnerId, shared: &Arc<Shared<T>>) -> &Cache<T> {
        match self.get(pool) {
            Some(cache) => cache,
            None => self.0.register(pool, shared),
        }
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
            slots: (0..MAX_CACHED).map(|_| Cell::new(None)).collect(),
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
        let orphans = self.drain(usize::MAX).collect();
        self.quota.set(0);
        self.counters.clear();
        (orphans, shared)
    }

    fn forget(&self) {
        mem::forget(self.drain(usize::MAX).collect::<Vec<_>>());
        self.quota.set(0);
        self.counters.clear();
        mem::forget(self.shared.replace(Weak::new()));
    }
}

impl<T> Cache<T> {
    /// Lends the object that was returned last.
    #[inline]
    pub(super) fn pop(&self) -> Option<T> {
        let top = self.counters.len().checked_sub(1)?;
        let object = self.slots.get(top)?.take()?;
        self.counters.record_hit(top);
        Some(object)
    }

    /// Keeps a returned object; hands it back if the quota is used up.
    #[inline]
    pub(super) fn push(&self, object: T) -> Result<(), T> {
        let len = self.counters.len();
        if len >= self.quota.get() {
            return Err(object);
        }
        match self.slots.get(len) {
            Some(slot) => {
                slot.set(Some(object));
                self.counters.record_return(len + 1);
                Ok(())
            }
            None => Err(object),
        }
    }

    /// Moves up to `batch` objects from the depot into the empty cache.
    #[cold]
    #[inline(never)]
    pub(super) fn fill(&self, shared: &Shared<T>, batch: usize) {
        let mut slots = self.slots.iter();
        let filled = shared.depot.fill(self.quota.replace(0), batch, |object| {
            if let Some(slot) = slots.next() {
                slot.set(Some(object));
            }
        });
        self.quota.set(filled);
        self.counters.set_len(filled);
    }

    /// Makes room in the full cache: moves a batch to the depot if the quota is at `max` already, and reserves room in
    /// the pool. Returns `false` if the pool has none.
    #[cold]
    #[inline(never)]
    pub(super) fn extend(&self, shared: &Shared<T>, batch: usize, max: usize) -> bool {
        let (quota, len) = (self.quota.get(), self.counters.len());
        let surplus = if quota < max { 0 } else { batch };
        let wanted = batch.min((max + surplus).saturating_sub(quota));
        // The iterator is lazy: it drains only if the depot accepts the surplus. Each object takes its unit along.
        let lent = shared.depot.extend(wanted, self.drain(surplus));
        let drained = len - self.counters.len();
        self.quota.set(quota - drained + lent);
        lent > 0
    }

    /// Moves all objects to the depot.
    pub(super) fn flush(&self, shared: &Shared<T>) {
        let unused = self.quota.replace(0) - self.counters.len();
        shared.depot.close(self.drain(usize::MAX), unused);
    }

    /// Removes up to `max` objects, lazily.
    fn drain(&self, max: usize) -> impl Iterator<Item = T> {
        std::iter::from_fn(|| {
            let top = self.counters.len().checked_sub(1)?;
            let object = self.slots.get(top)?.take()?;
            self.counters.set_len(top);
            Some(object)
        })
        .take(max)
    }
}
