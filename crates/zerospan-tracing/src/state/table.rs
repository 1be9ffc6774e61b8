//! The open spans of a layer, found by their ids.

use std::fmt;
use std::sync::OnceLock;
use zerospan_core::sync::{self, AtomicU64, AtomicUsize, Mutex, Ordering};

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
/// slots. Its key is found without a lock, and the slot's lock is then held only while the value is read or written.
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

/// The id in each of some slots, or 0. [`NO_SLOT`] where the last bucket has fewer slots than the others.
#[repr(align(64))]
struct Bucket([AtomicU64; WAYS]);

const NO_SLOT: u64 = u64::MAX;

/// Aligned, so that two threads' spans share no cache line.
#[repr(align(64))]
struct Slot<V>(Mutex<Content<V>>);

struct Content<V> {
    /// The id that is in the slot, or was there last.
    id: u64,
    is_taken: bool,
    value: V,
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

    /// Calls `work` with the value of `id`, under its lock.
    #[inline]
    pub(crate) fn with<R>(&self, id: u64, work: impl FnOnce(&mut V) -> R) -> Option<R> {
        let (segment, index) = self.find(id)?;
        let mut content = segment.lock(index)?;
        if content.id != id || !content.is_taken {
            return None;
        }
        Some(work(&mut content.value))
    }

    /// Inserts `id`: calls `fill` with its value, and with `true` if the id was there already. Returns `false`, without a call,
    /// if there is no room.
    #[inline]
    pub(crate) fn insert(&self, id: u64, fill: impl FnOnce(&mut V, bool)) -> bool {
        let mut fill = Some(fill);
        if id == 0 {
            return false;
        }
        if self.find(id).is_some() {
            let replace = |value: &mut V| {
                if let Some(fill) = fill.take() {
                    fill(value, true);
                }
            };
            if self.with(id, replace).is_some() {
                return true;
            }
        }
        let hash = hash(id);
        for segment in self.segments() {
            if let Some(bucket) = segment.home(hash)
                && segment.claim(id, bucket, &mut fill)
            {
                return true;
            }
        }
        self.insert_slow(id, &mut fill)
    }

    /// Removes `id`, and calls `take` with its value under its lock.
    #[inline]
    pub(crate) fn remove<R>(&self, id: u64, take: impl FnOnce(&mut V) -> R) -> Option<R> {
        let (segment, index) = self.find(id)?;
        let mut content = segment.lock(index)?;
        if content.id != id || !content.is_taken {
            return None;
        }
        let taken = take(&mut content.value);
        content.is_taken = false;
        segment.key(index)?.store(0, Ordering::Release);
        Some(taken)
    }

    /// Calls `read` with the value of an id that was removed, unless another id has taken its slot.
    pub(crate) fn removed<R>(&self, id: u64, read: impl Fn(&V) -> R) -> Option<R> {
        // In the order in which an id takes slots: it may have been in two.
        let hash = hash(id);
        let find = |segment: &Segment<V>, bucket: usize| {
            (0..WAYS).find_map(|way| {
                let content = segment.lock(bucket * WAYS + (first_way(id) + way) % WAYS)?;
                let is_match = content.id == id && !content.is_taken;
                is_match.then(|| read(&content.value))
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
    fn insert_slow(&self, id: u64, fill: &mut Option<impl FnOnce(&mut V, bool)>) -> bool {
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
                && segment.claim(id, bucket, fill)
            {
                return true;
            }
        }
        for segment in self.segments() {
            for distance in 0..segment.buckets.len() {
                let bucket = segment.overflow(hash, distance);
                if !segment.has_room(bucket) {
                    continue;
                }
                // Before the key can be seen, whoever looks for it looks far enough.
                segment.reach.fetch_max(distance + 1, Ordering::SeqCst);
                if segment.claim(id, bucket, fill) {
                    return true;
                }
            }
        }
        false
    }
}

impl<V: Default> Segment<V> {
    fn new(slots: usize, start: usize) -> Self {
        let empty = || {
            Slot(Mutex::new(Content {
                id: 0,
                is_taken: false,
                value: V::default(),
            }))
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

    /// Takes a free slot of a bucket, and fills its value. Returns `false` if there is none.
    #[inline]
    fn claim(&self, id: u64, bucket: usize, fill: &mut Option<impl FnOnce(&mut V, bool)>) -> bool {
        for way in 0..WAYS {
            let index = bucket * WAYS + (first_way(id) + way) % WAYS;
            let Some(key) = self.key(index) else { continue };
            if key.load(Ordering::Relaxed) != 0 {
                continue;
            }
            let Some(mut content) = self.lock(index) else {
                continue;
            };
            if content.is_taken {
                continue;
            }
            content.id = id;
            content.is_taken = true;
            if let Some(fill) = fill.take() {
                fill(&mut content.value, false);
            }
            key.store(id, Ordering::Release);
            return true;
        }
        false
    }

    #[inline]
    fn lock(&self, index: usize) -> Option<sync::MutexGuard<'_, Content<V>>> {
        self.slots.get(index).map(|slot| sync::lock(&slot.0))
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
