use super::shared::{Magazine, Shared};
use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

/// One thread's caches of the thread-cached pools of one type and key.
///
/// Lives in a thread-local that [`thread_cache!`](crate::thread_cache) declares. When the thread ends, what it holds
/// goes to the depots of the pools. What belongs to a pool that is gone is freed when the thread next uses a pool of this
/// key, and when it ends.
pub struct ThreadCaches<T> {
    first: OnceCell<Box<Cache<T>>>,
    /// How many pools had gone when this thread last looked for caches of theirs.
    seen_gone: Cell<u64>,
}

/// One thread's cache of one pool.
///
/// Caches form a list that only grows, so that a reference to one stays good without a borrow flag while an object's
/// own code runs. A cache whose pool is gone is bound to the next one.
pub(super) struct Cache<T> {
    /// The pool's number; 0 where the cache is free.
    pool: Cell<u64>,
    /// How many objects the cache may hold: units of the pool's capacity. At most the length of `slots`.
    quota: Cell<usize>,
    magazine: Arc<Magazine>,
    /// Below `magazine.held` each is `Some`, from there on `None`.
    slots: Box<[Cell<Option<T>>]>,
    shared: RefCell<Weak<Shared<T>>>,
    next: OnceCell<Box<Cache<T>>>,
}

/// The most objects that one thread's cache of one pool holds.
pub(super) const MOST_CACHED: usize = 32;

/// How many pools have gone.
static GONE: AtomicU64 = AtomicU64::new(0);

/// The last field of a pool: by the time it is dropped, what the pool owned is gone.
#[derive(Debug)]
pub(super) struct Obituary;

impl Drop for Obituary {
    fn drop(&mut self) {
        GONE.fetch_add(1, Ordering::Release);
    }
}

impl<T> ThreadCaches<T> {
    /// No caches yet. Allocates nothing; the first use of each pool allocates its cache.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            first: OnceCell::new(),
            seen_gone: Cell::new(0),
        }
    }

    /// This thread's cache of the pool `number`, if it has used it.
    #[inline]
    pub(super) fn get(&self, number: u64) -> Option<&Cache<T>> {
        if GONE.load(Ordering::Relaxed) != self.seen_gone.get() {
            self.sweep();
        }
        match self.first.get() {
            Some(first) if first.pool.get() == number => Some(first),
            _ => self.find(number),
        }
    }

    #[cold]
    #[inline(never)]
    fn find(&self, number: u64) -> Option<&Cache<T>> {
        self.iter().find(|cache| cache.pool.get() == number)
    }

    fn iter(&self) -> impl Iterator<Item = &Cache<T>> {
        std::iter::successors(self.first.get(), |cache| cache.next.get()).map(|cache| &**cache)
    }

    /// Binds a free cache, or one that is added, to the pool `number`.
    #[cold]
    pub(super) fn bind(&self, number: u64, shared: &Arc<Shared<T>>) -> &Cache<T> {
        let cache = match self.find(0) {
            Some(free) => free,
            None => {
                let mut end = &self.first;
                while let Some(cache) = end.get() {
                    end = &cache.next;
                }
                end.get_or_init(|| Box::new(Cache::new()))
            }
        };
        shared.admit(&cache.magazine);
        cache.shared.replace(Arc::downgrade(shared));
        cache.pool.set(number);
        cache
    }

    /// Frees what belongs to pools that are gone.
    #[cold]
    #[inline(never)]
    fn sweep(&self) {
        self.seen_gone.set(GONE.load(Ordering::Acquire));
        let mut orphans = Vec::new();
        for cache in self.iter() {
            if cache.pool.get() != 0 && cache.shared.borrow().strong_count() == 0 {
                orphans.extend(cache.drain(usize::MAX));
                cache.shared.replace(Weak::new());
                cache.quota.set(0);
                cache.magazine.clear();
                cache.pool.set(0);
            }
        }
        // Only here does the objects' own code run, which may use pools: every cache is in order by now.
        drop(orphans);
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
            .entries(self.iter().map(|cache| cache.magazine.held()))
            .finish()
    }
}

impl<T> Drop for ThreadCaches<T> {
    fn drop(&mut self) {
        // One after the other: the drop of a long list must not recurse.
        let mut rest = self.first.take();
        while let Some(mut cache) = rest {
            rest = cache.next.take();
            cache.retire();
        }
    }
}

impl<T> Cache<T> {
    fn new() -> Self {
        Self {
            pool: Cell::new(0),
            quota: Cell::new(0),
            magazine: Arc::default(),
            slots: (0..MOST_CACHED).map(|_| Cell::new(None)).collect(),
            shared: RefCell::new(Weak::new()),
            next: OnceCell::new(),
        }
    }

    /// Lends the object that was put in last.
    #[inline]
    pub(super) fn pop(&self) -> Option<T> {
        let top = self.magazine.held().checked_sub(1)?;
        let object = self.slots.get(top)?.take()?;
        self.magazine.lend(top);
        Some(object)
    }

    /// Keeps an object that came back; hands it back where the quota is used up.
    #[inline]
    pub(super) fn push(&self, object: T) -> Result<(), T> {
        let held = self.magazine.held();
        if held >= self.quota.get() {
            return Err(object);
        }
        match self.slots.get(held) {
            Some(slot) => {
                slot.set(Some(object));
                self.magazine.keep(held + 1);
                Ok(())
            }
            None => Err(object),
        }
    }

    /// Fetches up to `batch` objects from the depot into the empty cache.
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
        self.magazine.set_held(filled);
    }

    /// Makes room in the cache, whose quota is used up: sends a batch to the depot where `most` objects are here
    /// already, and borrows room of the pool. Says whether there was any.
    #[cold]
    #[inline(never)]
    pub(super) fn extend(&self, shared: &Shared<T>, batch: usize, most: usize) -> bool {
        let (quota, held) = (self.quota.get(), self.magazine.held());
        let surplus = if quota < most { 0 } else { batch };
        let wanted = batch.min((most + surplus).saturating_sub(quota));
        // Drains only if the depot takes the surplus, since the iterator is lazy. Each object takes its unit along.
        let lent = shared.depot.extend(wanted, self.drain(surplus));
        let drained = held - self.magazine.held();
        self.quota.set(quota - drained + lent);
        lent > 0
    }

    /// Sends all that is here to the depot.
    pub(super) fn flush(&self, shared: &Shared<T>) {
        let unused = self.quota.replace(0) - self.magazine.held();
        shared.depot.close(self.drain(usize::MAX), unused);
    }

    /// Takes up to `most` objects out, lazily.
    fn drain(&self, most: usize) -> impl Iterator<Item = T> {
        std::iter::from_fn(|| {
            let top = self.magazine.held().checked_sub(1)?;
            let object = self.slots.get(top)?.take()?;
            self.magazine.set_held(top);
            Some(object)
        })
        .take(most)
    }

    /// Gives everything back: the thread ends.
    fn retire(&self) {
        let shared = self.shared.replace(Weak::new()).upgrade();
        match shared {
            Some(shared) => {
                self.flush(&shared);
                shared.dismiss(&self.magazine);
            }
            None => drop(self.drain(usize::MAX).collect::<Vec<_>>()),
        }
    }
}
