use crate::sync::{AtomicU64, Ordering};

/// What a pool has done since it was built.
///
/// Counted per thread where the pool caches per thread, and merged when it is asked for: exact when no thread is in the
/// middle of an acquire or a return, and off by those that are otherwise. Two equations hold then:
///
/// - `hits + misses == returns + discards.total() + detached + lent()`: each object lent goes exactly one way.
/// - `warmed_up + returns - hits - shrunk` is what the pool keeps, its [`len`](crate::Pool::len).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// Objects lent that the pool had kept.
    pub hits: u64,
    /// Objects lent that had to be created.
    pub misses: u64,
    /// Objects that came back and were kept.
    pub returns: u64,
    /// Objects that came back and were not kept.
    pub discards: Discards,
    /// Objects that were taken out of their guard for good.
    pub detached: u64,
    /// Objects that [`warm_up`](crate::Pool::warm_up) put in.
    pub warmed_up: u64,
    /// Objects that [`shrink`](crate::Pool::shrink) freed.
    pub shrunk: u64,
}

impl PoolStats {
    /// Objects that are lent now.
    ///
    /// A guard that was leaked ([`std::mem::forget`]) counts as lent for ever.
    pub fn lent(&self) -> u64 {
        (self.hits + self.misses)
            .saturating_sub(self.returns + self.discards.total() + self.detached)
    }
}

/// Why objects that came back were not kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Discards {
    /// The pool kept as many as its capacity allows.
    pub full: u64,
    /// The object retained more heap memory than the retention limit allows.
    pub too_large: u64,
    /// A panic unwound through the object's guard, or its reset panicked.
    pub panicked: u64,
}

impl Discards {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.full + self.too_large + self.panicked
    }
}

/// The counters behind [`PoolStats`] that all threads share.
#[derive(Debug, Default)]
pub(crate) struct Tally {
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

impl Tally {
    pub(crate) fn snapshot(&self) -> PoolStats {
        // What ends is read before what begins, so that `lent` of a snapshot taken mid-way is rather too high.
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

/// Adds to a counter that any thread may add to.
pub(crate) fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}
