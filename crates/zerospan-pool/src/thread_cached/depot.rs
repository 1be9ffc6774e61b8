use super::room::Room;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use zerospan_core::sync::{BlockingMutex, BlockingMutexGuard, lock_blocking};

/// The idle objects of a thread-cached pool that no thread caches.
///
/// Each has its weight in units of the pool's capacity: 1, or its bytes. Takes an object's units from the room when it
/// stores the object, unless a cache hands them over with it, and gives them back when the object leaves. Hence the
/// bound: the depot and all caches together never weigh more than the capacity.
///
/// The room is changed under the lock, except by reservations, so that an object and its units move at once. Only moves objects under the lock: creates, resets, measures and drops none.
pub(crate) struct Depot<T> {
    inner: BlockingMutex<Inner<T>>,
    room: Arc<Room>,
}

struct Inner<T> {
    /// Objects with their weights, in the order in which they were stored.
    objects: Vec<(T, usize)>,
    /// The minimum and the maximum number of objects since the last [`trim`](Depot::trim).
    low: usize,
    high: usize,
    trim_at: Option<Instant>,
}

/// Time for which objects are kept after their last use, and at most as long again.
const TRIM_INTERVAL: Duration = Duration::from_secs(10);

impl<T> fmt::Debug for Depot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Depot")
            .field("objects", &self.lock().objects.len())
            .field("room", &self.room)
            .finish()
    }
}

impl<T> Depot<T> {
    /// Builds the empty depot of a pool.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            inner: BlockingMutex::new(Inner {
                objects: Vec::new(),
                low: 0,
                high: 0,
                trim_at: None,
            }),
            room: Arc::new(Room::new(capacity)),
        }
    }

    fn lock(&self) -> BlockingMutexGuard<'_, Inner<T>> {
        lock_blocking(&self.inner)
    }

    /// Returns the part of the capacity that nothing uses.
    pub(crate) fn room(&self) -> &Arc<Room> {
        &self.room
    }

    /// Returns the number of objects.
    pub(crate) fn len(&self) -> usize {
        self.lock().objects.len()
    }

    /// Removes one object.
    pub(crate) fn take_one(&self) -> Option<T> {
        let mut inner = self.lock();
        let (object, weight) = inner.pop()?;
        self.room.give_back(weight);
        Some(object)
    }

    /// Stores one object that has no units yet; hands it back if there is no room.
    pub(crate) fn put_one(&self, object: T, weight: usize) -> Result<(), T> {
        let mut inner = self.lock();
        if self.room.take(weight, weight).is_none() {
            return Err(object);
        }
        inner.extend([(object, weight)]);
        Ok(())
    }

    /// Trades a cache's unused `quota` for up to `max` objects with their units, at most `max_units` together. Returns the first
    /// one, of which the cache gets the units alone, and the number of units. If the first weighs more than that, returns it
    /// without its units.
    pub(crate) fn fill(
        &self,
        quota: usize,
        max: usize,
        max_units: usize,
        mut put: impl FnMut(T, usize),
    ) -> (Option<T>, usize) {
        let mut inner = self.lock();
        self.room.give_back(quota);
        let Some((first, weight)) = inner.pop() else {
            return (None, 0);
        };
        if weight > max_units {
            self.room.give_back(weight);
            return (Some(first), 0);
        }
        let mut units = weight;
        for _ in 1..max {
            let fits = |(_, weight): &mut (T, usize)| units + *weight <= max_units;
            let Some((object, weight)) = inner.objects.pop_if(fits) else {
                break;
            };
            units += weight;
            put(object, weight);
        }
        inner.note_low();
        (Some(first), units)
    }

    /// Lends a cache up to `max` units of room and returns their number; `None` if there are fewer than `min`. Otherwise
    /// first stores the cache's `surplus`, each object with its units.
    pub(crate) fn extend(
        &self,
        min: usize,
        max: usize,
        surplus: impl Iterator<Item = (T, usize)>,
    ) -> Option<usize> {
        let mut inner = self.lock();
        let lent = self.room.take(min, max)?;
        inner.extend(surplus);
        Some(lent)
    }

    /// Takes back all objects of a cache and its unused quota.
    pub(crate) fn close(&self, objects: impl Iterator<Item = (T, usize)>, unused: usize) {
        let mut inner = self.lock();
        inner.extend(objects);
        self.room.give_back(unused);
    }

    /// Removes up to `max` objects.
    pub(crate) fn take(&self, max: usize) -> Vec<(T, usize)> {
        let mut inner = self.lock();
        let left = inner.objects.len().saturating_sub(max);
        let taken = inner.objects.split_off(left);
        inner.note_low();
        self.give_back(&taken);
        taken
    }

    /// Removes, once an interval, the objects beyond what was in use at once in the last interval and half as much again, for
    /// the caller to drop without the lock. Returns them, and the time to call this again, if there is one.
    ///
    /// The memory after a burst is so kept for the next, but not for ever, and a load that varies a little frees nothing.
    pub(crate) fn trim(&self, now: Instant) -> (Vec<(T, usize)>, Option<Instant>) {
        let mut inner = self.lock();
        let excess = match inner.trim_at {
            Some(time) if now < time => return (Vec::new(), Some(time)),
            Some(_) => {
                let used = inner.high - inner.low;
                let excess = inner.low.saturating_sub(used / 2);
                // The objects at the start were stored first and not lent since.
                let left = inner.objects.split_off(excess);
                std::mem::replace(&mut inner.objects, left)
            }
            None => Vec::new(),
        };
        let len = inner.objects.len();
        (inner.low, inner.high) = (len, len);
        inner.trim_at = (len > 0).then(|| now + TRIM_INTERVAL);
        self.give_back(&excess);
        (excess, inner.trim_at)
    }

    fn give_back(&self, objects: &[(T, usize)]) {
        let weight = objects.iter().map(|(_, weight)| weight).sum();
        self.room.give_back(weight);
    }
}

impl<T> Inner<T> {
    fn pop(&mut self) -> Option<(T, usize)> {
        let object = self.objects.pop();
        self.note_low();
        object
    }

    fn note_low(&mut self) {
        self.low = self.low.min(self.objects.len());
    }

    fn extend(&mut self, objects: impl IntoIterator<Item = (T, usize)>) {
        self.objects.extend(objects);
        self.high = self.high.max(self.objects.len());
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn filled(count: usize) -> Depot<usize> {
        let depot = Depot::new(usize::MAX);
        depot.close((0..count).map(|number| (number, 1)), 0);
        depot
    }

    /// Takes `count` objects and returns them.
    fn wave(depot: &Depot<usize>, count: usize) {
        depot.close(depot.take(count).into_iter(), 0);
    }

    #[test]
    fn what_was_idle_for_an_interval_is_freed_and_half_of_what_was_used_is_kept_beside_it() {
        let depot = filled(1_000);
        let start = Instant::now();
        let after = |intervals| start + TRIM_INTERVAL * intervals;
        let (excess, next) = depot.trim(start);
        assert_eq!((excess.len(), next), (0, Some(after(1))));
        wave(&depot, 900);
        let early = after(1) - Duration::from_millis(1);
        assert_eq!(depot.trim(early).0.len(), 0, "the interval is not over");
        assert_eq!(depot.trim(after(1)).0.len(), 0, "a little less was in use");
        wave(&depot, 100);
        let (excess, next) = depot.trim(after(2));
        let numbers: Vec<usize> = excess.into_iter().map(|(number, _)| number).collect();
        assert_eq!(numbers, (0..850).collect::<Vec<_>>());
        assert_eq!(next, Some(after(3)));
        wave(&depot, 100);
        assert_eq!(depot.trim(after(3)).0.len(), 0);
        let (excess, next) = depot.trim(after(4));
        assert_eq!((excess.len(), next), (150, None), "all was idle");
        assert_eq!(depot.trim(after(9)).1, None, "nothing is kept");
    }

    #[test]
    fn freed_objects_give_their_room_back() {
        let depot = Depot::new(100);
        for number in 0..10 {
            assert_eq!(depot.put_one(number, 10), Ok(()));
        }
        assert_eq!(depot.put_one(10, 1), Err(10));
        let start = Instant::now();
        depot.trim(start);
        assert_eq!(depot.trim(start + TRIM_INTERVAL).0.len(), 10);
        assert!(depot.room().take(100, 100).is_some());
        assert!(depot.room().is_empty());
    }

    #[test]
    fn a_cache_is_filled_with_as_many_objects_as_its_bounds_allow() {
        let filled = |max, max_units| {
            let depot = Depot::new(100);
            for number in 0..5 {
                assert_eq!(depot.put_one(number, 10), Ok(()));
            }
            let mut put = Vec::new();
            let (first, units) = depot.fill(0, max, max_units, |number, _| put.push(number));
            // The units of those that the cache has are neither here nor free.
            let free = depot.room().take(0, usize::MAX).expect("at least none");
            let held = depot
                .take(usize::MAX)
                .iter()
                .map(|(_, weight)| weight)
                .sum::<usize>();
            assert_eq!(free + held + units, 100);
            (first, put, units)
        };
        assert_eq!(filled(1, 10), (Some(4), vec![], 10));
        assert_eq!(filled(1, 9), (Some(4), vec![], 0), "without its units");
        assert_eq!(filled(3, 100), (Some(4), vec![3, 2], 30));
        assert_eq!(filled(5, 30), (Some(4), vec![3, 2], 30));
        assert_eq!(filled(5, 39), (Some(4), vec![3, 2], 30));
        assert_eq!(filled(9, 100), (Some(4), vec![3, 2, 1, 0], 50));
    }
}
