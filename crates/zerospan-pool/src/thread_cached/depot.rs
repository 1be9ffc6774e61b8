use std::fmt;
use zerospan_core::sync::{BlockingMutex, BlockingMutexGuard, lock_blocking};

/// The idle objects of a thread-cached pool that no thread caches, and the part of the capacity that no thread has
/// reserved.
///
/// Each object that the pool keeps, and each that a thread's cache has reserved room for, is one unit of the capacity. A
/// unit is in exactly one place: an object here, `room` here, or a cache's quota. Hence the bound: the depot and all
/// caches together never hold more objects than the capacity.
///
/// Only moves objects under the lock: creates, resets and drops none.
pub(crate) struct Depot<T> {
    inner: BlockingMutex<Inner<T>>,
}

struct Inner<T> {
    objects: Vec<T>,
    room: usize,
}

impl<T> fmt::Debug for Depot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.lock();
        f.debug_struct("Depot")
            .field("objects", &inner.objects.len())
            .field("room", &inner.room)
            .finish()
    }
}

impl<T> Depot<T> {
    /// Builds the empty depot of a pool.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            inner: BlockingMutex::new(Inner {
                objects: Vec::new(),
                room: capacity,
            }),
        }
    }

    fn lock(&self) -> BlockingMutexGuard<'_, Inner<T>> {
        lock_blocking(&self.inner)
    }

    /// Returns the number of objects.
    pub(crate) fn len(&self) -> usize {
        self.lock().objects.len()
    }

    /// Returns `true` if [`put_one`](Self::put_one) would accept an object.
    pub(crate) fn has_room(&self) -> bool {
        self.lock().room > 0
    }

    /// Removes one object; its unit becomes room.
    pub(crate) fn take_one(&self) -> Option<T> {
        let mut inner = self.lock();
        let object = inner.objects.pop()?;
        inner.room += 1;
        Some(object)
    }

    /// Stores one object that has no unit yet; hands it back if there is no room.
    pub(crate) fn put_one(&self, object: T) -> Result<(), T> {
        let mut inner = self.lock();
        let Some(room) = inner.room.checked_sub(1) else {
            return Err(object);
        };
        inner.objects.push(object);
        inner.room = room;
        Ok(())
    }

    /// Trades a cache's unused `quota` for up to `max` objects with their units. Returns the number of objects.
    pub(crate) fn fill(&self, quota: usize, max: usize, mut put: impl FnMut(T)) -> usize {
        let mut inner = self.lock();
        inner.room += quota;
        let left = inner.objects.len().saturating_sub(max);
        let mut filled = 0;
        for object in inner.objects.drain(left..) {
            put(object);
            filled += 1;
        }
        filled
    }

    /// Lends a cache up to `max` units of room and returns their number. If that is not 0, first stores the cache's
    /// `surplus`, each object with its unit; otherwise does not touch `surplus`.
    pub(crate) fn extend(&self, max: usize, surplus: impl Iterator<Item = T>) -> usize {
        let mut inner = self.lock();
        let lent = inner.room.min(max);
        if lent > 0 {
            inner.objects.extend(surplus);
            inner.room -= lent;
        }
        lent
    }

    /// Takes back all objects of a cache and its unused quota.
    pub(crate) fn close(&self, objects: impl Iterator<Item = T>, unused: usize) {
        let mut inner = self.lock();
        inner.objects.extend(objects);
        inner.room += unused;
    }

    /// Removes up to `max` objects; their units become room.
    pub(crate) fn take(&self, max: usize) -> Vec<T> {
        let mut inner = self.lock();
        let left = inner.objects.len().saturating_sub(max);
        let taken = inner.objects.split_off(left);
        inner.room += taken.len();
        taken
    }
}
