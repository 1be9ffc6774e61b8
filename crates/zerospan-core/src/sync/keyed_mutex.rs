//! A lock for a slot of a table: it is taken by the key of what the slot holds.

use super::{AtomicU64, Ordering, yield_now};
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

#[cfg(loom)]
use loom::cell::UnsafeCell;
#[cfg(not(loom))]
use std::cell::UnsafeCell;

/// A mutual exclusion lock with a key: who names another key does not get it.
///
/// Finding out that a slot of a table still holds a key, and locking it, is one atomic operation, and unlocking is a store,
/// where a [`Mutex`](super::Mutex) takes an atomic operation each. For this, nobody waits in the system: a thread that finds it
/// locked tries again, then yields, then sleeps in between. Hold it for a few dozen instructions, of which none is user code.
///
/// A panic while it is held unlocks it.
pub struct KeyedMutex<T> {
    /// The key, or [`LOCKED`].
    state: AtomicU64,
    value: UnsafeCell<T>,
}

const LOCKED: u64 = u64::MAX;

// SAFETY: a shared `KeyedMutex` lends its value to one thread at a time, as a mutex does: `state` is `LOCKED` meanwhile, which
// one thread alone can set, with `Acquire` after the `Release` of the last one.
#[allow(unsafe_code)]
unsafe impl<T: Send> Sync for KeyedMutex<T> {}

impl<T> KeyedMutex<T> {
    /// Creates an unlocked mutex with a key other than `u64::MAX`, which stands for 0.
    pub fn new(key: u64, value: T) -> Self {
        let key = if key == LOCKED { 0 } else { key };
        Self {
            state: AtomicU64::new(key),
            value: UnsafeCell::new(value),
        }
    }

    /// Returns `true` if `key` is the key, and nobody holds the mutex, at this moment. One relaxed load.
    #[inline]
    pub fn is_free(&self, key: u64) -> bool {
        key != LOCKED && self.state.load(Ordering::Relaxed) == key
    }

    /// Locks the mutex if `key` is its key, once nobody holds it any more. Returns `None` if it has another key.
    #[inline]
    pub fn lock(&self, key: u64) -> Option<KeyedMutexGuard<'_, T>> {
        if key == LOCKED {
            return None;
        }
        match self.take(key) {
            Ok(guard) => Some(guard),
            Err(LOCKED) => self.wait(key),
            Err(_) => None,
        }
    }

    /// Locks the mutex, if `key`, which must not be [`LOCKED`], is its key and nobody holds it. Returns its state otherwise.
    #[inline]
    fn take(&self, key: u64) -> Result<KeyedMutexGuard<'_, T>, u64> {
        self.state
            .compare_exchange(key, LOCKED, Ordering::Acquire, Ordering::Relaxed)?;
        Ok(KeyedMutexGuard {
            #[cfg(loom)]
            value: Some(self.value.get_mut()),
            mutex: self,
            key,
            lends: PhantomData,
        })
    }

    #[cold]
    #[inline(never)]
    fn wait(&self, key: u64) -> Option<KeyedMutexGuard<'_, T>> {
        let mut attempts = 0_u32;
        loop {
            pause(attempts);
            attempts = attempts.saturating_add(1);
            if self.state.load(Ordering::Relaxed) == LOCKED {
                continue;
            }
            match self.take(key) {
                Ok(guard) => return Some(guard),
                Err(LOCKED) => {}
                Err(_) => return None,
            }
        }
    }
}

/// Waits a little before the next attempt.
fn pause(attempts: u32) {
    const SPINS: u32 = 64;
    const YIELDS: u32 = 256;
    match attempts {
        // A model has no other way of letting the holder go on.
        _ if cfg!(loom) => yield_now(),
        0..SPINS => std::hint::spin_loop(),
        SPINS..YIELDS => yield_now(),
        // The holder was suspended, perhaps by this thread, which has a higher priority.
        _ => std::thread::sleep(Duration::from_micros(50)),
    }
}

/// Unlocks the [`KeyedMutex`] when dropped.
///
/// Shared between threads only if the value may be:
///
/// ```compile_fail,E0277
/// use std::cell::Cell;
/// use zerospan_core::sync::KeyedMutexGuard;
///
/// fn shareable<T: Sync>() {}
/// shareable::<KeyedMutexGuard<'_, Cell<u8>>>();
/// ```
///
/// ```compile_fail,E0277
/// use std::rc::Rc;
/// use zerospan_core::sync::KeyedMutex;
///
/// fn shareable<T: Sync>() {}
/// shareable::<KeyedMutex<Rc<u8>>>();
/// ```
pub struct KeyedMutexGuard<'a, T> {
    #[cfg(loom)]
    value: Option<loom::cell::MutPtr<T>>,
    mutex: &'a KeyedMutex<T>,
    /// The key from the unlocking on.
    key: u64,
    lends: PhantomData<&'a mut T>,
}

impl<T> KeyedMutexGuard<'_, T> {
    /// Sets the key that the mutex has once it is unlocked. `u64::MAX` stands for 0.
    #[inline]
    pub fn set_key(&mut self, key: u64) {
        self.key = if key == LOCKED { 0 } else { key };
    }
}

impl<T> Drop for KeyedMutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        #[cfg(loom)]
        drop(self.value.take());
        self.mutex.state.store(self.key, Ordering::Release);
    }
}

#[cfg(not(loom))]
impl<T> Deref for KeyedMutexGuard<'_, T> {
    type Target = T;

    #[inline]
    #[allow(unsafe_code)]
    fn deref(&self) -> &T {
        // SAFETY: the state is `LOCKED` while the guard exists, and only the guard's borrows lend the value then.
        unsafe { &*self.mutex.value.get() }
    }
}

#[cfg(not(loom))]
impl<T> DerefMut for KeyedMutexGuard<'_, T> {
    #[inline]
    #[allow(unsafe_code)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and `&mut self` shows that there is no other borrow of the guard.
        unsafe { &mut *self.mutex.value.get() }
    }
}

#[cfg(loom)]
impl<T> Deref for KeyedMutexGuard<'_, T> {
    type Target = T;

    #[allow(unsafe_code)]
    fn deref(&self) -> &T {
        // SAFETY: the model reports every access that is not exclusive.
        unsafe { self.value.as_ref().expect("it is held").deref() }
    }
}

#[cfg(loom)]
impl<T> DerefMut for KeyedMutexGuard<'_, T> {
    #[allow(unsafe_code)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the model reports every access that is not exclusive.
        unsafe { self.value.as_ref().expect("it is held").deref() }
    }
}

impl<T> fmt::Debug for KeyedMutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedMutex").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for KeyedMutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedMutexGuard").finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::KeyedMutex;

    #[test]
    fn only_the_key_locks_and_a_guard_changes_it() {
        let mutex = KeyedMutex::new(1, "first");
        assert!(mutex.lock(2).is_none());
        assert!(mutex.lock(u64::MAX).is_none());
        let mut guard = mutex.lock(1).expect("the key is right");
        assert!(!mutex.is_free(1));
        assert!(mutex.lock(u64::MAX).is_none(), "locked twice");
        *guard = "second";
        guard.set_key(2);
        drop(guard);
        assert!(mutex.lock(1).is_none());
        assert!(mutex.is_free(2));
        assert_eq!(*mutex.lock(2).expect("the key is right"), "second");
    }

    #[test]
    fn a_panic_unlocks() {
        let mutex = KeyedMutex::new(1, 0);
        let held = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            *mutex.lock(1).expect("the key is right") += 1;
            let _guard = mutex.lock(1);
            panic!("while it is held");
        }));
        assert!(held.is_err());
        assert_eq!(mutex.lock(1).as_deref(), Some(&1));
    }

    #[test]
    fn threads_that_wait_lose_no_update() {
        const THREADS: usize = 4;
        const EACH: usize = 2_000;
        let mutex = KeyedMutex::new(7, (0_usize, 0_usize));
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for round in 0..EACH {
                        let mut guard = mutex.lock(7).expect("the key stays");
                        guard.0 += 1;
                        if round % 500 == 0 {
                            // Longer than a waiting thread spins.
                            std::thread::sleep(std::time::Duration::from_millis(1));
                        }
                        guard.1 += 1;
                    }
                });
            }
        });
        let both = (THREADS * EACH, THREADS * EACH);
        assert_eq!(mutex.lock(7).as_deref(), Some(&both));
    }
}
