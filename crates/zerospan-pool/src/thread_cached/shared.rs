use crate::PoolStats;
use crate::depot::Depot;
use crate::stats::{Tally, add};
use crate::sync::{AtomicU64, AtomicUsize, Mutex, Ordering, lock};
use std::sync::Arc;

/// What the threads that use a pool share.
#[derive(Debug)]
pub(super) struct Shared<T> {
    pub(super) depot: Depot<T>,
    /// What was counted outside the magazines, and by those that are gone.
    pub(super) tally: Tally,
    magazines: Mutex<Vec<Arc<Magazine>>>,
}

impl<T> Shared<T> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            depot: Depot::new(capacity),
            tally: Tally::default(),
            magazines: Mutex::new(Vec::new()),
        }
    }

    /// Counts a magazine in from here on.
    pub(super) fn admit(&self, magazine: &Arc<Magazine>) {
        lock(&self.magazines).push(Arc::clone(magazine));
    }

    /// Takes over what an empty magazine has counted.
    pub(super) fn dismiss(&self, magazine: &Arc<Magazine>) {
        let mut magazines = lock(&self.magazines);
        magazines.retain(|other| !Arc::ptr_eq(other, magazine));
        add(&self.tally.hits, magazine.hits.load(Ordering::Relaxed));
        add(
            &self.tally.returns,
            magazine.returns.load(Ordering::Relaxed),
        );
    }

    /// The objects in the depot and in all magazines.
    pub(super) fn len(&self) -> usize {
        let magazines = lock(&self.magazines);
        let cached: usize = magazines.iter().map(|magazine| magazine.held()).sum();
        self.depot.len() + cached
    }

    pub(super) fn stats(&self) -> PoolStats {
        let magazines = lock(&self.magazines);
        let mut stats = self.tally.snapshot();
        for magazine in magazines.iter() {
            stats.returns += magazine.returns.load(Ordering::Relaxed);
            stats.hits += magazine.hits.load(Ordering::Relaxed);
        }
        stats
    }
}

/// The counters of one thread's cache: written by that thread alone, without read-modify-write, and read by all.
#[derive(Debug, Default)]
// Two threads' counters never share a cache line, nor the pair of lines that is fetched together.
#[repr(align(128))]
pub(super) struct Magazine {
    held: AtomicUsize,
    hits: AtomicU64,
    returns: AtomicU64,
}

impl Magazine {
    #[inline]
    pub(super) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn set_held(&self, held: usize) {
        self.held.store(held, Ordering::Relaxed);
    }

    /// One was lent; `held` are left.
    #[inline]
    pub(super) fn lend(&self, held: usize) {
        self.set_held(held);
        let hits = self.hits.load(Ordering::Relaxed);
        self.hits.store(hits.wrapping_add(1), Ordering::Relaxed);
    }

    /// One came back; `held` are here.
    #[inline]
    pub(super) fn keep(&self, held: usize) {
        self.set_held(held);
        let returns = self.returns.load(Ordering::Relaxed);
        self.returns
            .store(returns.wrapping_add(1), Ordering::Relaxed);
    }

    /// Starts to count anew.
    pub(super) fn clear(&self) {
        self.set_held(0);
        self.hits.store(0, Ordering::Relaxed);
        self.returns.store(0, Ordering::Relaxed);
    }
}
