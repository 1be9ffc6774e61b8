use crate::sync::{Mutex, MutexGuard, lock};
use std::fmt;

/// The part of a thread-cached pool that threads share: spare objects, and the room that no one has claimed.
///
/// Each object that the pool keeps, and each that a thread's cache may yet keep, stands for one unit of the capacity.
/// A unit is in exactly one place: an object here, `room` here, or a cache's quota. Hence the bound: the objects of all
/// caches and the depot never exceed the capacity.
///
/// Under the lock, objects are moved and nothing else: none is created, reset or dropped.
pub struct Depot<T> {
    shelf: Mutex<Shelf<T>>,
}

struct Shelf<T> {
    objects: Vec<T>,
    room: usize,
}

impl<T> fmt::Debug for Depot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shelf = self.lock();
        f.debug_struct("Depot")
            .field("objects", &shelf.objects.len())
            .field("room", &shelf.room)
            .finish()
    }
}

impl<T> Depot<T> {
    /// An empty depot of a pool of `capacity`.
    pub fn new(capacity: usize) -> Self {
        Self {
            shelf: Mutex::new(Shelf {
                objects: Vec::new(),
                room: capacity,
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shelf<T>> {
        lock(&self.shelf)
    }

    /// How many objects lie here.
    pub fn len(&self) -> usize {
        self.lock().objects.len()
    }

    /// Whether an object could be put here.
    pub fn has_room(&self) -> bool {
        self.lock().room > 0
    }

    /// Takes one object, for good: its unit becomes room.
    pub fn take_one(&self) -> Option<T> {
        let mut shelf = self.lock();
        let object = shelf.objects.pop()?;
        shelf.room += 1;
        Some(object)
    }

    /// Puts one object here that has no unit yet; hands it back where there is no room.
    pub fn put_one(&self, object: T) -> Result<(), T> {
        let mut shelf = self.lock();
        let Some(room) = shelf.room.checked_sub(1) else {
            return Err(object);
        };
        shelf.objects.push(object);
        shelf.room = room;
        Ok(())
    }

    /// Swaps a cache's unused `quota` for up to `most` objects, each with its unit, and says how many.
    pub fn fill(&self, quota: usize, most: usize, mut put: impl FnMut(T)) -> usize {
        let mut shelf = self.lock();
        shelf.room += quota;
        let left = shelf.objects.len().saturating_sub(most);
        let mut filled = 0;
        for object in shelf.objects.drain(left..) {
            put(object);
            filled += 1;
        }
        filled
    }

    /// Lends a cache up to `most` units of room; where there is any, takes its `surplus` first, units and all. Says how
    /// many units it lent; at 0 it took nothing.
    pub fn extend(&self, most: usize, surplus: impl Iterator<Item = T>) -> usize {
        let mut shelf = self.lock();
        let lent = shelf.room.min(most);
        if lent > 0 {
            shelf.objects.extend(surplus);
            shelf.room -= lent;
        }
        lent
    }

    /// Takes all that a cache holds, and its unused quota.
    pub fn close(&self, objects: impl Iterator<Item = T>, unused: usize) {
        let mut shelf = self.lock();
        shelf.objects.extend(objects);
        shelf.room += unused;
    }

    /// Takes up to `most` objects, for good.
    pub fn take(&self, most: usize) -> Vec<T> {
        let mut shelf = self.lock();
        let left = shelf.objects.len().saturating_sub(most);
        let taken = shelf.objects.split_off(left);
        shelf.room += taken.len();
        taken
    }
}
