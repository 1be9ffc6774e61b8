//! A lock for the models. Trying loom's own blocks where another thread has it (tokio-rs/loom#376), so that what is tried in
//! order not to wait looks like a deadlock: here a try never waits.

use loom::sync::{Condvar, Mutex as Inner};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{self, PoisonError};

/// Whether it is held stands behind a lock that nobody holds while waiting for another.
pub(crate) struct Mutex<T> {
    held: Inner<bool>,
    freed: Condvar,
    /// Locked by whoever holds this lock, and so by no two.
    value: sync::Mutex<T>,
}

pub(crate) struct MutexGuard<'a, T> {
    mutex: &'a Mutex<T>,
    /// `None` while it waits for a condition.
    value: Option<sync::MutexGuard<'a, T>>,
}

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            held: Inner::new(false),
            freed: Condvar::new(),
            value: sync::Mutex::new(value),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, T> {
        let held = self.held();
        self.take(held)
    }

    pub(super) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        let held = self.held();
        if *held {
            return None;
        }
        Some(self.take(held))
    }

    fn held(&self) -> loom::sync::MutexGuard<'_, bool> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it is free, and takes it.
    fn take<'a>(&'a self, mut held: loom::sync::MutexGuard<'a, bool>) -> MutexGuard<'a, T> {
        while *held {
            held = self
                .freed
                .wait(held)
                .unwrap_or_else(PoisonError::into_inner);
        }
        *held = true;
        drop(held);
        let value = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        MutexGuard {
            mutex: self,
            value: Some(value),
        }
    }
}

impl<'a, T> MutexGuard<'a, T> {
    /// Unlocks, waits for `condition` and locks: nobody can tell of it in between.
    pub(super) fn wait(mut self, condition: &Condvar) -> Self {
        let mutex = self.mutex;
        self.value = None;
        let mut held = mutex.held();
        *held = false;
        mutex.freed.notify_one();
        let held = condition.wait(held).unwrap_or_else(PoisonError::into_inner);
        mutex.take(held)
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        if self.value.take().is_some() {
            *self.mutex.held() = false;
            self.mutex.freed.notify_one();
        }
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect("it is not waiting")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("it is not waiting")
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mutex").finish_non_exhaustive()
    }
}
