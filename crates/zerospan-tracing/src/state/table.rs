//! The open spans of a layer, found by their ids.

use std::fmt;
use std::sync::OnceLock;
use zerospan_core::sync::{self, AtomicU64, AtomicUsize, Mutex, Ordering};

/// The number of slots that share a cache line of keys.
const WAYS: usize = 8;

/// The number of slots in the first segment. Each later segment doubles the table.
#[cfg(not(loom))]
const FIRST_SEGMENT: usize = 512;
#[cfg(loom)]
const FIRST_SEGMENT: usize = 2;

/// The number of segments: more than any capacity needs.
const MAX_SEGMENTS: usize = 48;

/// A bounded map from ids to values, each behind a lock of its own. Keeps, for a while, a small part of each removed value.
///
/// An id hashes to a bucket of slots in every segment. Its key is found without a lock, and the slot's lock is then held only
/// while the value is read or written. A segment is allocated when the earlier ones have no free slot for an id, and stays.
/// Beyond the last segment, a bucket overflows into the ones after it, so that as many values fit as there are slots.
pub(crate) struct Table<V, C> {
    max: AtomicUsize,
    segments: [OnceLock<Segment<V, C>>; MAX_SEGMENTS],
}

struct Segment<V, C> {
    /// The id in each slot, or 0.
    keys: Box<[AtomicU64]>,
    slots: Box<[Slot<V, C>]>,
    /// The number of buckets from an id's own that may hold it.
    reach: AtomicUsize,
}

/// Aligned, so that two threads' spans share no cache line.
#[repr(align(64))]
struct Slot<V, C>(Mutex<Content<V, C>>);

struct Content<V, C> {
    /// The id of the value, or of the value that was removed last.
    id: u64,
    value: Option<V>,
    closed: Option<C>,
}

/// The outcome of an insertion.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Inserted<V> {
    New,
    /// A value of the same id was there.
    Replaced(V),
    /// There is no room.
    Full(V),
}

impl<V, C: Clone> Table<V, C> {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            max: AtomicUsize::new(max),
            segments: [const { OnceLock::new() }; MAX_SEGMENTS],
        }
    }

    pub(crate) fn max(&self) -> usize {
        self.max.load(Ordering::Relaxed)
    }

    /// Sets the maximum number of values, before the first.
    pub(crate) fn set_max(&self, max: usize) {
        self.max.store(max, Ordering::Relaxed);
    }

    /// Counts the values. Looks at every slot.
    pub(crate) fn len(&self) -> usize {
        let is_taken = |key: &&AtomicU64| key.load(Ordering::Relaxed) != 0;
        self.segments()
            .map(|segment| segment.keys.iter().filter(is_taken).count())
            .sum()
    }

    /// Calls `work` with the value of `id`, under its lock.
    #[inline]
    pub(crate) fn with<R>(&self, id: u64, work: impl FnOnce(&mut V) -> R) -> Option<R> {
        let (segment, index) = self.find(id)?;
        let mut content = segment.lock(index)?;
        if content.id != id {
            return None;
        }
        content.value.as_mut().map(work)
    }

    /// Inserts a value. The caller drops what is returned, outside the lock.
    #[inline]
    pub(crate) fn insert(&self, id: u64, value: V) -> Inserted<V> {
        if id == 0 {
            return Inserted::Full(value);
        }
        if let Some((segment, index)) = self.find(id)
            && let Some(mut content) = segment.lock(index)
            && content.id == id
            && let Some(held) = &mut content.value
        {
            return Inserted::Replaced(std::mem::replace(held, value));
        }
        let mut value = value;
        for segment in self.segments() {
            let reach = segment.reach.load(Ordering::Relaxed);
            match segment.claim(id, 0..reach, value) {
                None => return Inserted::New,
                Some(back) => value = back,
            }
        }
        self.insert_slow(id, value)
    }

    /// Removes the value of `id`, and keeps what `remember` makes of it.
    #[inline]
    pub(crate) fn remove(&self, id: u64, remember: impl FnOnce(&mut V) -> C) -> Option<V> {
        let (segment, index) = self.find(id)?;
        let mut content = segment.lock(index)?;
        if content.id != id {
            return None;
        }
        let mut value = content.value.take()?;
        let closed = remember(&mut value);
        let forgotten = content.closed.replace(closed);
        segment.keys.get(index)?.store(0, Ordering::Release);
        drop(content);
        drop(forgotten);
        Some(value)
    }

    /// Returns what was kept of the value of `id` when it was removed, unless another value has taken its slot.
    pub(crate) fn removed(&self, id: u64) -> Option<C> {
        self.segments().find_map(|segment| {
            let reach = segment.reach.load(Ordering::Relaxed);
            segment.indices(id, 0..reach).find_map(|index| {
                let content = segment.lock(index)?;
                let is_match = content.id == id && content.value.is_none();
                is_match.then(|| content.closed.clone())?
            })
        })
    }

    #[inline]
    fn segments(&self) -> impl Iterator<Item = &Segment<V, C>> {
        self.segments.iter().map_while(OnceLock::get)
    }

    #[inline]
    fn find(&self, id: u64) -> Option<(&Segment<V, C>, usize)> {
        self.segments()
            .find_map(|segment| Some((segment, segment.find(id)?)))
    }

    /// Adds a segment, or lets the buckets overflow.
    #[cold]
    fn insert_slow(&self, id: u64, mut value: V) -> Inserted<V> {
        let (max, mut slots) = (self.max(), 0);
        for segment in &self.segments {
            let left = max.saturating_sub(slots);
            let is_new = segment.get().is_none();
            if is_new && left == 0 {
                break;
            }
            // The first two are equal, so that each one doubles the table.
            let wanted = left.min(slots.max(FIRST_SEGMENT));
            let segment = segment.get_or_init(|| Segment::new(wanted));
            slots += segment.slots.len();
            if is_new {
                match segment.claim(id, 0..1, value) {
                    None => return Inserted::New,
                    Some(back) => value = back,
                }
            }
        }
        for segment in self.segments() {
            let buckets = segment.buckets();
            for bucket in 0..buckets {
                if !segment.has_room(id, bucket) {
                    continue;
                }
                // Before the key can be seen, whoever looks for it looks far enough.
                segment.reach.fetch_max(bucket + 1, Ordering::SeqCst);
                match segment.claim(id, bucket..bucket + 1, value) {
                    None => return Inserted::New,
                    Some(back) => value = back,
                }
            }
        }
        Inserted::Full(value)
    }
}

impl<V, C> Segment<V, C> {
    fn new(slots: usize) -> Self {
        let empty = || {
            Slot(Mutex::new(Content {
                id: 0,
                value: None,
                closed: None,
            }))
        };
        Self {
            keys: (0..slots).map(|_| AtomicU64::new(0)).collect(),
            slots: (0..slots).map(|_| empty()).collect(),
            reach: AtomicUsize::new(1),
        }
    }

    #[inline]
    fn buckets(&self) -> usize {
        self.keys.len().div_ceil(WAYS)
    }

    /// Returns the index of the first slot of a bucket, counted from that of `id`.
    #[inline]
    fn bucket(&self, id: u64, distance: usize) -> usize {
        let buckets = self.buckets();
        let own = ((u64::from(hash(id)) * buckets as u64) >> 32) as usize;
        let bucket = own + distance;
        let bucket = if bucket < buckets {
            bucket
        } else {
            bucket % buckets
        };
        bucket * WAYS
    }

    /// Returns the slots of some buckets, counted from that of `id`.
    fn indices(&self, id: u64, distances: std::ops::Range<usize>) -> impl Iterator<Item = usize> {
        distances.flat_map(move |distance| {
            let first = self.bucket(id, distance);
            first..(first + WAYS).min(self.keys.len())
        })
    }

    #[inline]
    fn find(&self, id: u64) -> Option<usize> {
        let reach = self.reach.load(Ordering::Relaxed);
        for distance in 0..reach {
            let first = self.bucket(id, distance);
            let end = (first + WAYS).min(self.keys.len());
            let is_match = |key: &AtomicU64| key.load(Ordering::Acquire) == id;
            if let Some(at) = self.keys.get(first..end)?.iter().position(is_match) {
                return Some(first + at);
            }
        }
        None
    }

    fn has_room(&self, id: u64, distance: usize) -> bool {
        let mut indices = self.indices(id, distance..distance + 1);
        indices.any(|index| self.is_free(index))
    }

    #[inline]
    fn is_free(&self, index: usize) -> bool {
        let key = self.keys.get(index);
        key.is_some_and(|key| key.load(Ordering::Relaxed) == 0)
    }

    /// Stores a value in a free slot of some buckets. Returns the value if there is none.
    #[inline]
    fn claim(&self, id: u64, distances: std::ops::Range<usize>, value: V) -> Option<V> {
        let mut value = Some(value);
        for distance in distances {
            let first = self.bucket(id, distance);
            let ways = WAYS.min(self.keys.len() - first);
            // The registry uses an address again with another generation in the upper bits of the id. Starting there, a slot
            // stays unused for a while after its span is closed, and close by.
            let start = (id >> GENERATION_SHIFT) as usize;
            for way in 0..ways {
                let index = first + (start + way) % ways;
                if !self.is_free(index) {
                    continue;
                }
                let Some(mut content) = self.lock(index) else {
                    continue;
                };
                if content.value.is_some() {
                    continue;
                }
                content.id = id;
                content.value = value.take();
                if let Some(key) = self.keys.get(index) {
                    key.store(id, Ordering::Release);
                }
                return None;
            }
        }
        value
    }

    #[inline]
    fn lock(&self, index: usize) -> Option<sync::MutexGuard<'_, Content<V, C>>> {
        self.slots.get(index).map(|slot| sync::lock(&slot.0))
    }
}

/// The position of the generation in the ids of `tracing_subscriber`'s registry.
const GENERATION_SHIFT: u32 = 51;

/// Hashes an id without the registry's generation: the spans that follow each other at one address share a bucket, which is
/// then in the cache.
#[inline]
fn hash(id: u64) -> u32 {
    ((id << (64 - GENERATION_SHIFT)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32
}

impl<V, C> fmt::Debug for Table<V, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("max", &self.max)
            .finish_non_exhaustive()
    }
}
