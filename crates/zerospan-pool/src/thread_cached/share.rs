/// The bounds of each thread's cache of a pool.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    /// The maximum number of objects; 0 if the capacity is too small for caches.
    pub(super) objects: usize,
    /// The maximum of the quota, in units of the pool's capacity.
    pub(super) units: usize,
}

/// The maximum number of objects in one thread's cache of one pool.
pub(super) const MAX_CACHED: usize = 32;

/// A cache holds at most the capacity divided by this.
const MIN_SHARES: usize = 8;

/// The maximum number of bytes in one thread's cache of one pool.
const MAX_CACHED_BYTES: usize = 64 << 10;

impl Share {
    /// Returns the bounds for a pool of `capacity` objects.
    pub(super) fn of_objects(capacity: usize) -> Self {
        let objects = (capacity / MIN_SHARES).min(MAX_CACHED);
        Self {
            objects,
            units: objects,
        }
    }

    /// Returns the bounds for a pool of `limit` bytes.
    pub(super) fn of_bytes(limit: usize) -> Self {
        let units = (limit / MIN_SHARES).min(MAX_CACHED_BYTES);
        Self {
            objects: if units == 0 { 0 } else { MAX_CACHED },
            units,
        }
    }

    /// Returns the number of objects that caches trade with the depot at a time: half a cache.
    pub(super) fn batch(self) -> usize {
        self.objects.div_ceil(2)
    }

    /// Returns the number of units that a cache takes at a time.
    pub(super) fn batch_units(self) -> usize {
        self.units.div_ceil(2)
    }
}
