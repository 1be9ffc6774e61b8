//! The open spans of a layer, found by their ids.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::OnceLock;
use zerospan_core::prefetch;
use zerospan_core::sync::{AtomicU64, AtomicUsize, KeyedMutex, KeyedMutexGuard, Ordering};

/// The number of slots that share a cache line of keys.
const WAYS: usize = 8;

/// The number of slots in the first segment. Each later segment doubles the table.
#[cfg(not(any(loom, test)))]
const FIRST_SEGMENT: usize = 512;
#[cfg(all(test, not(loom)))]
const FIRST_SEGMENT: usize = 16;
#[cfg(loom)]
const FIRST_SEGMENT: usize = 2;

/// The number of segments: more than any capacity needs.
const MAX_SEGMENTS: usize = 48;

/// A bounded map from ids to values, each behind a lock of its own.
///
/// A value is reused, not dropped: it stays when its id is removed, until another id takes its slot. An id hashes to a bucket of
/// slots. It is found without a lock: each slot's lock has the id as its key, so that locking it finds out whether the id is still
/// there. The lock is held only while the value is read or written, and no user code may run then.
///
/// A segment of buckets is allocated when the earlier ones have no free slot for an id, and stays. It doubles the table: one more
/// bit of the hash counts, and nothing moves. An id takes the bucket that all segments together give it, which is where it is looked
/// for first, or else one that fewer of them give it. Beyond the last segment, a bucket overflows into the ones after it, so that as
/// many ids fit as there are slots.
pub(crate) struct Table<V> {
    max: AtomicUsize,
    /// The number of segments.
    len: AtomicUsize,
    segments: [OnceLock<Segment<V>>; MAX_SEGMENTS],
}

struct Segment<V> {
    buckets: Box<[Bucket]>,
    slots: Box<[Slot<V>]>,
    /// The number of buckets in the earlier segments.
    start: usize,
    /// The bits of a hash that count in this segment and the earlier ones.
    mask: usize,
    /// The number of buckets that an id without a bucket of its own may have overflowed into.
    reach: AtomicUsize,
}

/// The id in each of some slots, or 0, to look for an id that is not in the slot that it takes first. [`NO_SLOT`] where the last
/// bucket has fewer slots than the others.
#[repr(align(64))]
struct Bucket([AtomicU64; WAYS]);

const NO_SLOT: u64 = u64::MAX;

/// The lock of a value: its key is the id, or [`FREE`]. Aligned, so that two threads' spans share no cache line.
#[repr(align(64))]
struct Slot<V>(KeyedMutex<Content<V>>);

const FREE: u64 = 0;

struct Content<V> {
    /// The id that is in the slot, or was there last.
    id: u64,
    value: V,
}

/// The value of an id, locked.
pub(crate) struct Locked<'a, V> {
    content: KeyedMutexGuard<'a, Content<V>>,
    /// The id among those of the bucket.
    key: &'a AtomicU64,
}

impl<V> Locked<'_, V> {
    /// Removes the id from the table, and unlocks the value.
    #[inline]
    pub(crate) fn remove(mut self) {
        self.key.store(FREE, Ordering::Release);
        self.content.set_key(FREE);
    }
}

impl<V> Deref for Locked<'_, V> {
    type Target = V;

    #[inline]
    fn deref(&self) -> &V {
        &self.content.value
    }
}

impl<V> DerefMut for Locked<'_, V> {
    #[inline]
    fn deref_mut(&mut self) -> &mut V {
        &mut self.content.value
    }
}

/// The value of an id that was inserted, locked, for the caller to fill.
pub(crate) struct Inserted<'a, V> {
    pub(crate) value: Locked<'a, V>,
    /// The id was there already.
    pub(crate) is_replaced: bool,
}

impl<V: Default> Table<V> {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            max: AtomicUsize::new(max),
            len: AtomicUsize::new(0),
            segments: [const { OnceLock::new() }; MAX_SEGMENTS],
        }
    }

    pub(crate) fn max(&self) -> usize {
        self.max.load(Ordering::Relaxed)
    }

    /// Sets the maximum number of ids, before the first.
    pub(crate) fn set_max(&self, max: usize) {
        self.max.store(max, Ordering::Relaxed);
    }

    /// Counts the ids. Looks at every slot.
    pub(crate) fn len(&self) -> usize {
        let is_taken = |key: &&AtomicU64| !matches!(key.load(Ordering::Relaxed), 0 | NO_SLOT);
        let keys = self
            .segments()
            .flat_map(|segment| segment.buckets.iter())
            .flat_map(|bucket| &bucket.0);
        keys.filter(is_taken).count()
    }

    /// Asks the processor for the slot that `id` is in or takes, if it is where it looks first.
    ///
    /// A slot takes several cache lines. Without this they follow one by one, since the lock is an atomic operation.
    #[inline]
    pub(crate) fn fetch_ahead(&self, id: u64) {
        if let Some(segment) = self.last_segment()
            && let Some(bucket) = segment.home(hash(id))
            && let Some(slot) = segment.slots.get(bucket * WAYS + first_way(id))
        {
            prefetch::value_for_writing(slot);
        }
    }

    /// Locks the value of `id`.
    #[inline]
    pub(crate) fn lock(&self, id: u64) -> Option<Locked<'_, V>> {
        // Most ids are where they look first, in the last segment: it has half of the slots.
        if let Some(segment) = self.last_segment()
            && let Some(bucket) = segment.home(hash(id))
            && let Some(locked) = segment.lock_if_free(bucket * WAYS + first_way(id), id)
        {
            return Some(locked);
        }
        self.lock_slow(id)
    }

    #[inline(never)]
    fn lock_slow(&self, id: u64) -> Option<Locked<'_, V>> {
        if id == FREE {
            return None;
        }
        let (segment, index) = self.find(id)?;
        segment.lock(index, id)
    }

    /// Calls `work` with the value of `id`, under its lock.
    #[inline]
    pub(crate) fn with<R>(&self, id: u64, work: impl FnOnce(&mut V) -> R) -> Option<R> {
        Some(work(&mut *self.lock(id)?))
    }

    /// Returns `true` if `id` is in the table.
    pub(crate) fn contains(&self, id: u64) -> bool {
        self.lock(id).is_some()
    }

    /// Inserts `id`. Returns `None` if there is no room.
    #[inline]
    pub(crate) fn insert(&self, id: u64) -> Option<Inserted<'_, V>> {
        if matches!(id, FREE | NO_SLOT) {
            return None;
        }
        if self.find(id).is_some()
            && let Some(value) = self.lock_slow(id)
        {
            return Some(Inserted {
                value,
                is_replaced: true,
            });
        }
        let hash = hash(id);
        let mut segments = self.segments();
        let claimed = segments.find_map(|segment| segment.claim(id, segment.home(hash)?));
        let value = match claimed {
            Some(value) => value,
            None => self.insert_slow(id)?,
        };
        Some(Inserted {
            value,
            is_replaced: false,
        })
    }

    /// Calls `read` with the value of an id that was removed, unless another id has taken its slot.
    pub(crate) fn removed<R>(&self, id: u64, read: impl Fn(&V) -> R) -> Option<R> {
        // In the order in which an id takes slots: it may have been in two.
        let hash = hash(id);
        let find = |segment: &Segment<V>, bucket: usize| {
            (0..WAYS).find_map(|way| {
                let index = bucket * WAYS + (first_way(id) + way) % WAYS;
                let content = segment.slots.get(index)?.0.lock(FREE)?;
                (content.id == id).then(|| read(&content.value))
            })
        };
        let mut homes = self.segments();
        let home = homes.find_map(|segment| find(segment, segment.home(hash)?));
        home.or_else(|| {
            self.segments().find_map(|segment| {
                let reach = segment.reach.load(Ordering::Relaxed);
                (0..reach).find_map(|distance| find(segment, segment.overflow(hash, distance)))
            })
        })
    }

    /// Returns the segments, the last one first: it has half of the slots.
    #[inline]
    fn segments(&self) -> impl Iterator<Item = &Segment<V>> {
        let len = self.len.load(Ordering::Acquire);
        let segments = self.segments.get(..len).unwrap_or_default();
        segments.iter().rev().filter_map(OnceLock::get)
    }

    #[inline]
    fn last_segment(&self) -> Option<&Segment<V>> {
        let last = self.len.load(Ordering::Acquire).wrapping_sub(1);
        self.segments.get(last)?.get()
    }

    /// Returns the segment with `id`, and the slot in it.
    #[inline]
    fn find(&self, id: u64) -> Option<(&Segment<V>, usize)> {
        let hash = hash(id);
        for segment in self.segments() {
            if let Some(index) = segment.find(id, hash) {
                return Some((segment, index));
            }
        }
        None
    }

    /// Adds a segment, or lets the buckets overflow.
    #[cold]
    #[inline(never)]
    fn insert_slow(&self, id: u64) -> Option<Locked<'_, V>> {
        let hash = hash(id);
        let (max, mut slots, mut buckets) = (self.max(), 0, 0);
        for (index, segment) in self.segments.iter().enumerate() {
            let left = max.saturating_sub(slots);
            let is_new = segment.get().is_none();
            if is_new && left == 0 {
                break;
            }
            // The first two are equal, so that each one doubles the table.
            let wanted = left.min(slots.max(FIRST_SEGMENT));
            let segment = segment.get_or_init(|| Segment::new(wanted, buckets));
            self.len.fetch_max(index + 1, Ordering::Release);
            slots += segment.slots.len();
            buckets += segment.buckets.len();
            if is_new
                && let Some(bucket) = segment.home(hash)
                && let Some(value) = segment.claim(id, bucket)
            {
                return Some(value);
            }
        }
        for segment in self.segments() {
            for distance in 0..segment.buckets.len() {
                let bucket = segment.overflow(hash, distance);
                if !segment.has_room(bucket) {
                    continue;
                }
                // Set before the key can be seen, so that every search for it goes far enough.
                segment.reach.fetch_max(distance + 1, Ordering::SeqCst);
                if let Some(value) = segment.claim(id, bucket) {
                    return Some(value);
                }
            }
        }
        None
    }
}

impl<V: Default> Segment<V> {
    fn new(slots: usize, start: usize) -> Self {
        let empty = || {
            let value = V::default();
            Slot(KeyedMutex::new(FREE, Content { id: FREE, value }))
        };
        let bucket = |bucket| {
            let key = |way| {
                let is_slot = bucket * WAYS + way < slots;
                AtomicU64::new(if is_slot { 0 } else { NO_SLOT })
            };
            Bucket(std::array::from_fn(key))
        };
        let buckets = slots.div_ceil(WAYS);
        let mut mask = (start + buckets).next_power_of_two() - 1;
        if start == 0 && mask >= buckets {
            // The number of buckets is no power of two: ids only overflow into the last ones.
            mask >>= 1;
        }
        Self {
            buckets: (0..buckets).map(bucket).collect(),
            slots: (0..slots).map(|_| empty()).collect(),
            start,
            mask,
            reach: AtomicUsize::new(0),
        }
    }

    /// Returns the bucket that this segment and the earlier ones give a hash, if it is in this one.
    #[inline]
    fn home(&self, hash: u32) -> Option<usize> {
        let bucket = (hash as usize & self.mask).wrapping_sub(self.start);
        (bucket < self.buckets.len()).then_some(bucket)
    }

    /// Returns one of the buckets that an id may overflow into.
    fn overflow(&self, hash: u32, distance: usize) -> usize {
        (hash as usize).wrapping_add(distance) % self.buckets.len().max(1)
    }

    #[inline]
    fn find(&self, id: u64, hash: u32) -> Option<usize> {
        if let Some(bucket) = self.home(hash)
            && let Some(index) = self.find_in(id, bucket)
        {
            return Some(index);
        }
        match self.reach.load(Ordering::Relaxed) {
            0 => None,
            reach => self.find_overflow(id, hash, reach),
        }
    }

    #[cold]
    fn find_overflow(&self, id: u64, hash: u32, reach: usize) -> Option<usize> {
        (0..reach).find_map(|distance| self.find_in(id, self.overflow(hash, distance)))
    }

    #[inline]
    fn find_in(&self, id: u64, bucket: usize) -> Option<usize> {
        let Bucket(keys) = self.buckets.get(bucket)?;
        let is_match = |key: &AtomicU64| key.load(Ordering::Acquire) == id;
        let likely = first_way(id);
        let way = if keys.get(likely).is_some_and(is_match) {
            likely
        } else {
            keys.iter().position(is_match)?
        };
        Some(bucket * WAYS + way)
    }

    fn has_room(&self, bucket: usize) -> bool {
        let is_free = |key: &AtomicU64| key.load(Ordering::Relaxed) == 0;
        self.buckets
            .get(bucket)
            .is_some_and(|bucket| bucket.0.iter().any(is_free))
    }

    #[inline]
    fn key(&self, index: usize) -> Option<&AtomicU64> {
        self.buckets.get(index / WAYS)?.0.get(index % WAYS)
    }

    /// Takes a free slot of a bucket, and locks it. Returns `None` if there is none.
    #[inline]
    fn claim(&self, id: u64, bucket: usize) -> Option<Locked<'_, V>> {
        for way in 0..WAYS {
            let index = bucket * WAYS + (first_way(id) + way) % WAYS;
            let Some(key) = self.key(index) else { continue };
            if key.load(Ordering::Relaxed) != FREE {
                continue;
            }
            let slot = self.slots.get(index)?;
            let Some(mut content) = slot.0.lock(FREE) else {
                continue;
            };
            content.id = id;
            content.set_key(id);
            // A thread that finds it waits for the lock.
            key.store(id, Ordering::Release);
            return Some(Locked { content, key });
        }
        None
    }

    /// Locks a slot, if `id` is in it.
    #[inline]
    fn lock(&self, index: usize, id: u64) -> Option<Locked<'_, V>> {
        let content = self.slots.get(index)?.0.lock(id)?;
        let key = self.key(index)?;
        Some(Locked { content, key })
    }

    /// Locks a slot, if `id` is in it and nobody holds it. Only reads a slot that another id has.
    #[inline]
    fn lock_if_free(&self, index: usize, id: u64) -> Option<Locked<'_, V>> {
        let slot = self.slots.get(index)?;
        // No id is `FREE`, which is the key of slots without one.
        if !slot.0.is_free(id) || id == FREE {
            return None;
        }
        self.lock(index, id)
    }
}

/// The position of the generation in the ids of `tracing_subscriber`'s registry.
const GENERATION_SHIFT: u32 = 51;

/// The position of the thread, below the generation. The lowest bits are the address.
const THREAD_SHIFT: u32 = 38;
const THREAD_MASK: u32 = (1 << (GENERATION_SHIFT - THREAD_SHIFT)) - 1;

/// Returns the slot of its bucket that an id takes if it is free.
///
/// The registry uses an address again with another generation in the upper bits of the id. Starting there, a slot stays unused
/// for a while after its span is closed, and close by.
#[inline]
fn first_way(id: u64) -> usize {
    (id >> GENERATION_SHIFT) as usize % WAYS
}

/// Hashes an id without the registry's generation: the spans that follow each other at one address share a bucket, which is
/// then in the cache.
///
/// A thread's addresses are dense, and lead to buckets next to each other, of which none has more ids than it must. Those of another
/// thread start elsewhere.
#[inline]
fn hash(id: u64) -> u32 {
    let thread = (id >> THREAD_SHIFT) as u32 & THREAD_MASK;
    (id as u32).wrapping_add(thread.wrapping_mul(0x9e37_79b9))
}

impl<V> fmt::Debug for Table<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("max", &self.max)
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
