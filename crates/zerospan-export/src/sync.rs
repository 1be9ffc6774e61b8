//! The locks and atomics of the hand-over: the model checker's under `--cfg loom`, the standard library's otherwise.

#[cfg(loom)]
mod model;

#[cfg(loom)]
pub(crate) use self::model::{Mutex, MutexGuard};
#[cfg(loom)]
pub(crate) use loom::sync::{
    Condvar,
    atomic::{AtomicBool, AtomicUsize},
};
#[cfg(not(loom))]
pub(crate) use std::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicUsize},
};

#[cfg(not(any(loom, tsan)))]
use std::sync::PoisonError;
#[cfg(not(loom))]
use std::sync::TryLockError;
#[cfg(not(loom))]
use std::time::Duration;
use std::time::Instant;

/// How often a lock that must not be waited for is tried. To the model checker each try is one more turn to branch at.
pub(crate) const TRIES: usize = if cfg!(loom) { 1 } else { 100 };

/// Locks, also after a panic under the lock: an encoder's panic unwinds through a slot's, and leaves it consistent.
#[inline]
#[cfg(not(any(loom, tsan)))]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// As above, by trying: a lock that has to wait does so inside the standard library, which is not built with the sanitizer,
/// so that ThreadSanitizer (`--cfg tsan`) would not see whom it waited for.
#[cfg(tsan)]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    loop {
        match try_lock(mutex) {
            Some(guard) => return guard,
            None => yield_now(),
        }
    }
}

/// As above, in a model.
#[cfg(loom)]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock()
}

/// Locks if that needs no waiting.
#[inline]
#[cfg(not(loom))]
pub(crate) fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// As above, in a model.
#[cfg(loom)]
pub(crate) fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    mutex.try_lock()
}

pub(crate) fn yield_now() {
    #[cfg(loom)]
    loom::thread::yield_now();
    #[cfg(not(loom))]
    std::thread::yield_now();
}

/// Waits for `condition` with what `guard` guards unlocked, or until `until`; it may return before anything happened.
/// `mutex` is what `guard` is of.
#[cfg(not(any(loom, tsan)))]
pub(crate) fn wait<'a, T>(
    condition: &Condvar,
    _mutex: &'a Mutex<T>,
    guard: MutexGuard<'a, T>,
    until: Option<Instant>,
) -> MutexGuard<'a, T> {
    let Some(until) = until else {
        return condition
            .wait(guard)
            .unwrap_or_else(PoisonError::into_inner);
    };
    let left = until.saturating_duration_since(Instant::now());
    if left == Duration::ZERO {
        return guard;
    }
    condition
        .wait_timeout(guard, left)
        .unwrap_or_else(PoisonError::into_inner)
        .0
}

/// As above, in a model, where no time passes.
#[cfg(loom)]
pub(crate) fn wait<'a, T>(
    condition: &Condvar,
    _mutex: &'a Mutex<T>,
    guard: MutexGuard<'a, T>,
    _until: Option<Instant>,
) -> MutexGuard<'a, T> {
    guard.wait(condition)
}

/// As above, by looking again every millisecond: the standard library's wait unlocks and locks where ThreadSanitizer does not
/// see it.
#[cfg(tsan)]
pub(crate) fn wait<'a, T>(
    _condition: &Condvar,
    mutex: &'a Mutex<T>,
    guard: MutexGuard<'a, T>,
    until: Option<Instant>,
) -> MutexGuard<'a, T> {
    const TURN: Duration = Duration::from_millis(1);
    let left = until.map_or(TURN, |until| {
        until.saturating_duration_since(Instant::now())
    });
    if left == Duration::ZERO {
        return guard;
    }
    drop(guard);
    std::thread::sleep(left.min(TURN));
    lock(mutex)
}
