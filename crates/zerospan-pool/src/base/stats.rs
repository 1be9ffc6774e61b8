use zerospan_core::sync::{AtomicU64, Ordering};

/// Counts of a pool's operations since it was built.
///
/// A pool with thread-local caches counts per thread and adds up on request. The counts are exact while no thread is in
/// the middle of an acquire or a return; otherwise they are off by those operations. When exact, two equations hold:
///
/// - `hits + misses == returns + discards.total() + detached + lent()`: each object lent has exactly one outcome.
/// - `warmed_up + returns - hits - shrunk == len`, the number of objects that the pool [keeps](crate::Pool::len).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// Objects lent from the pool.
    pub hits: u64,
    /// Objects lent that were created because the pool was empty.
    pub misses: u64,
    /// Objects returned and kept.
    pub returns: u64,
    /// Objects returned and dropped.
    pub discards: Discards,
    /// Objects detached from their guard.
    pub detached: u64,
    /// Objects created by [`warm_up`](crate::Pool::warm_up).
    pub warmed_up: u64,
    /// Objects freed by [`shrink`](crate::Pool::shrink), or since they were idle.
    pub shrunk: u64,
}

impl PoolStats {
    /// Returns the number of objects on loan.
    ///
    /// The object of a leaked guard ([`std::mem::forget`]) stays counted.
    pub fn lent(&self) -> u64 {
        (self.hits + self.misses)
            .saturating_sub(self.returns + self.discards.total() + self.detached)
    }
}

/// Counts of returned objects that were dropped, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Discards {
    /// The pool was full.
    pub full: u64,
    /// The object retained more heap memory than the retention limit.
    pub too_large: u64,
    /// A panic unwound through the object's guard, or its reset panicked.
    pub panicked: u64,
}

impl Discards {
    /// Returns the sum of all reasons.
    pub fn total(&self) -> u64 {
        self.full + self.too_large + self.panicked
    }
}

/// The counters of [`PoolStats`] that all threads share.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) hits: AtomicU64,
    pub(crate) misses: AtomicU64,
    pub(crate) returns: AtomicU64,
    pub(crate) full: AtomicU64,
    pub(crate) too_large: AtomicU64,
    pub(crate) panicked: AtomicU64,
    pub(crate) detached: AtomicU64,
    pub(crate) warmed_up: AtomicU64,
    pub(crate) shrunk: AtomicU64,
}

impl Counters {
    pub(crate) fn snapshot(&self) -> PoolStats {
        // Reads the outcomes before the loans, so that concurrent use makes `lent` too high rather than too low.
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        PoolStats {
            returns: read(&self.returns),
            discards: Discards {
                full: read(&self.full),
                too_large: read(&self.too_large),
                panicked: read(&self.panicked),
            },
            detached: read(&self.detached),
            warmed_up: read(&self.warmed_up),
            shrunk: read(&self.shrunk),
            hits: read(&self.hits),
            misses: read(&self.misses),
        }
    }
}

/// Adds to a counter that several threads write.
pub(crate) fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}
