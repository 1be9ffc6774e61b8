//! How what threads share is locked.

use std::sync::{Mutex, MutexGuard};

/// Locks, also after a panic under the lock: what is guarded here is changed in steps that leave it whole.
#[inline]
#[cfg(not(tsan))]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// As above, by trying: a lock that has to wait does so inside the standard library, which is not built with the sanitizer,
/// so that ThreadSanitizer (`--cfg tsan`) would not see whom it waited for.
#[cfg(tsan)]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    use std::sync::TryLockError;
    loop {
        match mutex.try_lock() {
            Ok(guard) => return guard,
            Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => std::thread::yield_now(),
        }
    }
}
