use std::sync::Arc;
use zerospan_core::sync::{AtomicUsize, Ordering};

/// The part of a pool's capacity that nothing uses: a number of objects or, with a byte limit, of bytes.
///
/// Each unit of the capacity is in exactly one place: here, with an object in the depot, in a cache's quota, or in a
/// [`Reservation`]. Hence the bound.
#[derive(Debug)]
pub(crate) struct Room(AtomicUsize);

impl Room {
    pub(crate) fn new(units: usize) -> Self {
        Self(AtomicUsize::new(units))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }

    /// Takes up to `max` units, but nothing if there are fewer than `min`. Returns the number.
    pub(crate) fn take(&self, min: usize, max: usize) -> Option<usize> {
        let mut left = self.0.load(Ordering::Relaxed);
        loop {
            if left < min {
                return None;
            }
            let taken = left.min(max);
            match self.0.compare_exchange_weak(
                left,
                left - taken,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Some(taken),
                Err(now) => left = now,
            }
        }
    }

    pub(crate) fn give_back(&self, units: usize) {
        self.0.fetch_add(units, Ordering::Relaxed);
    }
}

/// A part of a pool's capacity, given back when it is dropped.
///
/// Locks nothing, so that it may be dropped anywhere: in a forked child too, whose pool has room of its own.
#[doc(hidden)]
#[derive(Debug)]
pub struct Reservation {
    room: Arc<Room>,
    units: usize,
}

impl Reservation {
    pub(crate) fn new(room: &Arc<Room>, units: usize) -> Option<Self> {
        room.take(units, units)?;
        Some(Self {
            room: Arc::clone(room),
            units,
        })
    }

    /// Returns the number of objects or bytes.
    pub fn units(&self) -> usize {
        self.units
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.room.give_back(self.units);
    }
}
