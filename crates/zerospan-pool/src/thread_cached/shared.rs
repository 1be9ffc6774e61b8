use super::depot::Depot;
use crate::base::stats::{Counters, PoolStats, add};
use crate::trim::Trim;
use std::sync::Arc;
use std::time::Instant;
use zerospan_core::sync::{AtomicU64, AtomicUsize, BlockingMutex, Ordering, lock_blocking};

/// The part of a pool that all threads share.
#[derive(Debug)]
pub(super) struct Shared<T> {
    pub(super) depot: Depot<T>,
    /// Everything but the counts of the caches that are in use.
    pub(super) counters: Counters,
    caches: BlockingMutex<Vec<Arc<CacheCounters>>>,
}

impl<T> Shared<T> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            depot: Depot::new(capacity),
            counters: Counters::default(),
            caches: BlockingMutex::new(Vec::new()),
        }
    }

    /// Includes a cache's counters in the pool's counts.
    pub(super) fn register(&self, cache: &Arc<CacheCounters>) {
        lock_blocking(&self.caches).push(Arc::clone(cache));
    }

    /// Adds the counters of a flushed cache to the pool's own.
    pub(super) fn unregister(&self, cache: &Arc<CacheCounters>) {
        let mut caches = lock_blocking(&self.caches);
        caches.retain(|other| !Arc::ptr_eq(other, cache));
        add(&self.counters.hits, cache.hits.load(Ordering::Relaxed));
        add(
            &self.counters.returns,
            cache.returns.load(Ordering::Relaxed),
        );
    }

    /// Returns the number of objects in the depot and all caches.
    pub(super) fn len(&self) -> usize {
        let caches = lock_blocking(&self.caches);
        let cached: usize = caches.iter().map(|cache| cache.len()).sum();
        self.depot.len() + cached
    }

    pub(super) fn stats(&self) -> PoolStats {
        let caches = lock_blocking(&self.caches);
        let mut stats = self.counters.snapshot();
        for cache in caches.iter() {
            stats.returns += cache.returns.load(Ordering::Relaxed);
            stats.hits += cache.hits.load(Ordering::Relaxed);
        }
        stats
    }
}

impl<T: Send> Trim for Shared<T> {
    fn trim(&self, now: Instant) -> Option<Instant> {
        let (excess, next) = self.depot.trim(now);
        add(&self.counters.shrunk, excess.len() as u64);
        drop(excess);
        next
    }
}

/// The counters of one thread's cache: written by that thread alone, without read-modify-write, and read by all.
#[derive(Debug, Default)]
// Two threads' counters never share a cache line, nor the pair of lines that is fetched together.
#[repr(align(128))]
pub(super) struct CacheCounters {
    len: AtomicUsize,
    hits: AtomicU64,
    returns: AtomicU64,
}

impl CacheCounters {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn set_len(&self, len: usize) {
        self.len.store(len, Ordering::Relaxed);
    }

    /// Counts a hit.
    #[inline]
    pub(super) fn record_hit(&self) {
        let hits = self.hits.load(Ordering::Relaxed);
        self.hits.store(hits.wrapping_add(1), Ordering::Relaxed);
    }

    /// Counts a return that makes `len` objects.
    #[inline]
    pub(super) fn record_return(&self, len: usize) {
        self.set_len(len);
        let returns = self.returns.load(Ordering::Relaxed);
        self.returns
            .store(returns.wrapping_add(1), Ordering::Relaxed);
    }

    /// Sets all counters to zero.
    pub(super) fn clear(&self) {
        self.set_len(0);
        self.hits.store(0, Ordering::Relaxed);
        self.returns.store(0, Ordering::Relaxed);
    }
}
