//! A mutex for the models whose `try_lock` never blocks. Loom's own blocks while another thread holds the lock
//! (tokio-rs/loom#376), and reports a deadlock where the code under test only tries.

use loom::sync::{Condvar, Mutex as Inner};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{self, PoisonError};

/// A mutual exclusion lock whose state is itself guarded by a loom mutex, held only for a moment.
pub struct Mutex<T> {
    held: Inner<bool>,
    freed: Condvar,
    /// Locked only by the thread that set `held`, so never contended.
    value: sync::Mutex<T>,
}

/// Unlocks the [`Mutex`] when dropped.
#[derive(Debug)]
pub struct MutexGuard<'a, T> {
    mutex: &'a Mutex<T>,
    /// `None` while waiting for a condition.
    value: Option<sync::MutexGuard<'a, T>>,
}

impl<T> Mutex<T> {
    /// Creates an unlocked mutex.
    pub fn new(value: T) -> Self {
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

    /// Waits until the lock is free, then takes it.
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
    /// Unlocks, waits for `condition`, and locks again. Unlocking and waiting are one step.
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
