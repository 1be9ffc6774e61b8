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

/// A bounded map from ids to values, each behind a lock of its own.
///
/// A value is reused, not dropped: it stays when its id is removed, until another id takes its slot. An id hashes to a bucket of
/// slots in every segment. Its key is found without a lock, and the slot's lock is then held only while the value is read or
/// written. A segment is allocated when the earlier ones have no free slot for an id, and stays. Beyond the last segment, a
/// bucket overflows into the ones after it, so that as many ids fit as there are slots.
pub(crate) struct Table<V> {
    max: AtomicUsize,
    segments: [OnceLock<Segment<V>>; MAX_SEGMENTS],
}

struct Segment<V> {
    /// The id in each slot, or 0.
    keys: Box<[AtomicU64]>,
    slots: Box<[Slot<V>]>,
    /// The number of buckets from an id's own that may hold it.
    reach: AtomicUsize,
}

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
        for segment in self.segments() {
            let reach = segment.reach.load(Ordering::Relaxed);
            if segment.claim(id, 0..reach, &mut fill) {
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
        segment.keys.get(index)?.store(0, Ordering::Release);
        Some(taken)
    }

    /// Calls `read` with the value of an id that was removed, unless another id has taken its slot.
    pub(crate) fn removed<R>(&self, id: u64, read: impl Fn(&V) -> R) -> Option<R> {
        self.segments().find_map(|segment| {
            let reach = segment.reach.load(Ordering::Relaxed);
            segment.indices(id, 0..reach).find_map(|index| {
                let content = segment.lock(index)?;
                let is_match = content.id == id && !content.is_taken;
                is_match.then(|| read(&content.value))
            })
        })
    }

    #[inline]
    fn segments(&self) -> impl Iterator<Item = &Segment<V>> {
        self.segments.iter().map_while(OnceLock::get)
    }

    #[inline]
    fn find(&self, id: u64) -> Option<(&Segment<V>, usize)> {
        self.segments()
            .find_map(|segment| Some((segment, segment.find(id)?)))
    }

    /// Adds a segment, or lets the buckets overflow.
    #[cold]
    fn insert_slow(&self, id: u64, fill: &mut Option<impl FnOnce(&mut V, bool)>) -> bool {
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
            if is_new && segment.claim(id, 0..1, fill) {
                return true;
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
                if segment.claim(id, bucket..bucket + 1, fill) {
                    return true;
                }
            }
        }
        false
    }
}

impl<V: Default> Segment<V> {
    fn new(slots: usize) -> Self {
        let empty = || {
            Slot(Mutex::new(Content {
                id: 0,
                is_taken: false,
                value: V::default(),
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
            let likely = first + first_way(id);
            if self.keys.get(likely).is_some_and(is_match) {
                return Some(likely);
            }
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

    /// Takes a free slot of some buckets, and fills its value. Returns `false` if there is none.
    #[inline]
    fn claim(
        &self,
        id: u64,
        distances: std::ops::Range<usize>,
        fill: &mut Option<impl FnOnce(&mut V, bool)>,
    ) -> bool {
        for distance in distances {
            let first = self.bucket(id, distance);
            for way in 0..WAYS {
                // The last bucket may have fewer slots: the others are not free.
                let index = first + (first_way(id) + way) % WAYS;
                if !self.is_free(index) {
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
                if let Some(key) = self.keys.get(index) {
                    key.store(id, Ordering::Release);
                }
                return true;
            }
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
#[inline]
fn hash(id: u64) -> u32 {
    ((id << (64 - GENERATION_SHIFT)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32
}

impl<V> fmt::Debug for Table<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("max", &self.max)
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    /// Returns an id of the registry's form, of few addresses and generations.
    fn id() -> impl Strategy<Value = u64> {
        (1_u64..40, 0_u64..3)
            .prop_map(|(address, generation)| address | (generation << GENERATION_SHIFT))
    }

    proptest! {
        #[test]
        fn the_table_behaves_like_a_map_of_its_capacity(
            max in 1_usize..20,
            program in proptest::collection::vec((id(), 0..3_u8), 1..200),
        ) {
            let table = Table::<u64>::new(max);
            let mut model = HashMap::new();
            for (step, (id, action)) in program.into_iter().enumerate() {
                let step = step as u64;
                match action {
                    0 => {
                        let mut was_there = None;
                        let is_in = table.insert(id, |value, is_taken| {
                            *value = step;
                            was_there = Some(is_taken);
                        });
                        let fits = model.len() < max || model.contains_key(&id);
                        prop_assert_eq!(is_in, fits);
                        prop_assert_eq!(was_there, fits.then(|| model.contains_key(&id)));
                        if fits {
                            model.insert(id, step);
                        }
                    }
                    1 => {
                        let removed = table.remove(id, |value| *value);
                        prop_assert_eq!(removed, model.remove(&id));
                        if removed.is_some() {
                            prop_assert_eq!(table.removed(id, |value| *value), removed);
                        }
                    }
                    _ => prop_assert_eq!(table.with(id, |value| *value), model.get(&id).copied()),
                }
                prop_assert_eq!(table.len(), model.len());
            }
        }
    }

    #[test]
    fn threads_keep_their_values_apart_while_the_table_grows() {
        const THREADS: u64 = 4;
        const EACH: u64 = 500;
        let table = Table::<u64>::new((THREADS * EACH) as usize);
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let table = &table;
                scope.spawn(move || {
                    for round in 0..3 {
                        let id = |number: u64| {
                            (thread << 38) | (number + 1) | (round << GENERATION_SHIFT)
                        };
                        for number in 0..EACH {
                            assert!(table.insert(id(number), |value, _| *value = id(number)));
                        }
                        for number in (0..EACH).rev() {
                            assert_eq!(table.with(id(number), |value| *value), Some(id(number)));
                            assert_eq!(table.remove(id(number), |value| *value), Some(id(number)));
                            assert_eq!(table.with(id(number), |value| *value), None);
                        }
                    }
                });
            }
        });
        assert_eq!(table.len(), 0);
    }
}
