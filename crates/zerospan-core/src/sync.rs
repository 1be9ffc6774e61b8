//! Locks and atomics of the family: loom's under `--cfg loom`, the standard library's otherwise.
//!
//! Under `--cfg tsan` a lock spins on `try_lock` instead of blocking: the standard library is not built with the sanitizer,
//! so ThreadSanitizer cannot see the synchronisation of a lock that blocks inside it.

mod keyed_mutex;
mod lazy_box;
#[cfg(loom)]
mod loom_mutex;
mod once_box;

pub use self::keyed_mutex::{KeyedMutex, KeyedMutexGuard};
pub use self::lazy_box::LazyBox;
#[cfg(loom)]
pub use self::loom_mutex::{Mutex, MutexGuard};
pub use self::once_box::OnceBox;
#[cfg(loom)]
pub use loom::sync::{
    Condvar, Mutex as BlockingMutex, MutexGuard as BlockingMutexGuard,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
};
#[cfg(not(loom))]
pub use std::sync::{
    Condvar, Mutex, Mutex as BlockingMutex, MutexGuard, MutexGuard as BlockingMutexGuard,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
};

#[cfg(not(tsan))]
use std::sync::PoisonError;
#[cfg(not(loom))]
use std::sync::TryLockError;
#[cfg(not(loom))]
use std::time::Duration;
use std::time::Instant;

/// Attempts to take a lock that must not be waited for. In a model each attempt multiplies the executions to explore.
pub const TRY_LOCK_ATTEMPTS: usize = if cfg!(loom) { 1 } else { 100 };

/// Locks `mutex` and ignores poisoning: callers leave the guarded value consistent at every point that can panic.
#[inline]
#[cfg(not(any(loom, tsan)))]
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Locks `mutex` by trying until it is free.
#[cfg(tsan)]
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    loop {
        match try_lock(mutex) {
            Some(guard) => return guard,
            None => yield_now(),
        }
    }
}

/// Locks `mutex` in a model.
#[cfg(loom)]
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock()
}

/// Locks a mutex that no code ever tries to lock or waits with. Ignores poisoning, as [`lock`] does.
///
/// In a model this is loom's own mutex, which leaves far fewer executions to explore than [`Mutex`].
#[inline]
pub fn lock_blocking<T>(mutex: &BlockingMutex<T>) -> BlockingMutexGuard<'_, T> {
    #[cfg(loom)]
    return mutex.lock().unwrap_or_else(PoisonError::into_inner);
    #[cfg(not(loom))]
    lock(mutex)
}

/// Locks `mutex` if no other thread holds it. Ignores poisoning, as [`lock`] does.
#[inline]
#[cfg(not(loom))]
pub fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// Locks `mutex` in a model, if no other thread holds it.
#[cfg(loom)]
pub fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    mutex.try_lock()
}

/// Lets other threads run.
pub fn yield_now() {
    #[cfg(loom)]
    loom::thread::yield_now();
    #[cfg(not(loom))]
    std::thread::yield_now();
}

/// Unlocks `guard`, waits for `condition` until `deadline`, and locks again. May return spuriously.
///
/// `mutex` must be the one that `guard` locks.
#[cfg(not(any(loom, tsan)))]
pub fn wait<'a, T>(
    condition: &Condvar,
    _mutex: &'a Mutex<T>,
    guard: MutexGuard<'a, T>,
    deadline: Option<Instant>,
) -> MutexGuard<'a, T> {
    let Some(deadline) = deadline else {
        return condition
            .wait(guard)
            .unwrap_or_else(PoisonError::into_inner);
    };
    let left = deadline.saturating_duration_since(Instant::now());
    if left == Duration::ZERO {
        return guard;
    }
    condition
        .wait_timeout(guard, left)
        .unwrap_or_else(PoisonError::into_inner)
        .0
}

/// Waits in a model, where no time passes.
#[cfg(loom)]
pub fn wait<'a, T>(
    condition: &Condvar,
    _mutex: &'a Mutex<T>,
    guard: MutexGuard<'a, T>,
    _deadline: Option<Instant>,
) -> MutexGuard<'a, T> {
    guard.wait(condition)
}

/// Waits by unlocking for a millisecond at most: the wait of the standard library locks where ThreadSanitizer cannot see it.
#[cfg(tsan)]
pub fn wait<'a, T>(
    _condition: &Condvar,
    mutex: &'a Mutex<T>,
    guard: MutexGuard<'a, T>,
    deadline: Option<Instant>,
) -> MutexGuard<'a, T> {
    const TURN: Duration = Duration::from_millis(1);
    let left = deadline.map_or(TURN, |deadline| {
        deadline.saturating_duration_since(Instant::now())
    });
    if left == Duration::ZERO {
        return guard;
    }
    drop(guard);
    std::thread::sleep(left.min(TURN));
    lock(mutex)
}

#[cfg(all(test, not(any(loom, tsan))))]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn a_lock_is_taken_although_a_thread_panicked_with_it() {
        let mutex = Mutex::new(1);
        let panicked = thread::scope(|scope| {
            let holder = scope.spawn(|| {
                *lock(&mutex) += 1;
                let _guard = lock(&mutex);
                std::panic::resume_unwind(Box::new("while it is held"));
            });
            holder.join()
        });
        assert!(panicked.is_err() && mutex.is_poisoned());
        assert_eq!(*lock(&mutex), 2);
        assert_eq!(*lock_blocking(&mutex), 2);
        assert_eq!(try_lock(&mutex).as_deref(), Some(&2));
    }

    #[test]
    fn a_lock_that_is_held_is_not_waited_for() {
        let mutex = Mutex::new(1);
        let guard = lock(&mutex);
        assert!(thread::scope(|scope| {
            let other = scope.spawn(|| try_lock(&mutex).is_none());
            other.join().is_ok_and(|is_none| is_none)
        }));
        drop(guard);
        assert!(try_lock(&mutex).is_some());
    }

    #[test]
    fn a_wait_ends_with_the_signal_and_with_the_deadline() {
        const LONG: Duration = Duration::from_secs(30);
        let (mutex, condition) = (Mutex::new(false), Condvar::new());
        for with_deadline in [true, false] {
            let start = Instant::now();
            let deadline = with_deadline.then(|| start + LONG);
            let mut guard = lock(&mutex);
            thread::scope(|scope| {
                scope.spawn(|| {
                    *lock(&mutex) = true;
                    condition.notify_all();
                });
                while !*guard {
                    guard = wait(&condition, &mutex, guard, deadline);
                }
                *guard = false;
                drop(guard);
            });
            assert!(start.elapsed() < LONG / 2);
        }
        let start = Instant::now();
        let mut guard = lock(&mutex);
        let deadline = start + Duration::from_millis(20);
        while Instant::now() < deadline {
            guard = wait(&condition, &mutex, guard, Some(deadline));
        }
        let _guard = wait(&condition, &mutex, guard, Some(start));
        assert!(start.elapsed() < LONG / 2);
    }
}
