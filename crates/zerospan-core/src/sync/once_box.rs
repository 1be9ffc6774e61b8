use std::fmt;
use std::marker::PhantomData;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// A value that is made once, at the first use, without a lock: threads that race may each make one, and one is kept.
///
/// The standard library's `OnceLock` and `LazyLock` wait for the thread that makes the value, which is for ever in a child that
/// was forked meanwhile.
pub struct OnceBox<T> {
    value: AtomicPtr<T>,
    // Owns a `T`, and hands out references to it from any thread.
    owns: PhantomData<Box<T>>,
}

// SAFETY: a shared `OnceBox` hands out `&T` to any thread, and takes a `T` from any thread.
#[allow(unsafe_code)]
unsafe impl<T: Send + Sync> Sync for OnceBox<T> {}

impl<T> OnceBox<T> {
    /// Makes an empty one. Does not allocate.
    pub const fn new() -> Self {
        Self {
            value: AtomicPtr::new(ptr::null_mut()),
            owns: PhantomData,
        }
    }

    /// Returns the value, if it is made. One load.
    #[inline]
    #[allow(unsafe_code)]
    pub fn get(&self) -> Option<&T> {
        // SAFETY: the pointer is null or comes from `Box::into_raw`, was published with `Release`, and is not freed before
        // `self` is dropped.
        unsafe { self.value.load(Ordering::Acquire).as_ref() }
    }

    /// Returns the value. Calls `make` if there is none, without a lock, and drops its result if another thread was faster.
    pub fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        match self.get() {
            Some(value) => value,
            None => self.init(make()),
        }
    }

    /// Sets the value.
    ///
    /// # Errors
    ///
    /// The value comes back if there is one already.
    pub fn set(&self, value: T) -> Result<(), T> {
        match self.get() {
            Some(_) => Err(value),
            None => self.publish(value).1.map_or(Ok(()), |back| Err(*back)),
        }
    }

    #[cold]
    fn init(&self, value: T) -> &T {
        self.publish(value).0
    }

    /// Keeps `value` if it is the first. Returns the value that is kept, and `value` if it is not.
    #[allow(unsafe_code)]
    fn publish(&self, value: T) -> (&T, Option<Box<T>>) {
        let made = Box::into_raw(Box::new(value));
        let exchange =
            self.value
                .compare_exchange(ptr::null_mut(), made, Ordering::AcqRel, Ordering::Acquire);
        let (kept, back) = match exchange {
            Ok(_) => (made, None),
            // SAFETY: `made` comes from `Box::into_raw` above, and was not published.
            Err(kept) => (kept, Some(unsafe { Box::from_raw(made) })),
        };
        // SAFETY: `kept` comes from `Box::into_raw`, here or in the thread that published it, and is not freed before `self` is
        // dropped.
        (unsafe { &*kept }, back)
    }
}

impl<T> From<T> for OnceBox<T> {
    fn from(value: T) -> Self {
        let once = Self::new();
        once.get_or_init(|| value);
        once
    }
}

impl<T> Default for OnceBox<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Drop for OnceBox<T> {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        let value = *self.value.get_mut();
        if !value.is_null() {
            // SAFETY: the pointer comes from `Box::into_raw`, and `&mut self` shows that no reference to the value is left.
            drop(unsafe { Box::from_raw(value) });
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceBox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OnceBox").field(&self.get()).finish()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::OnceBox;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn threads_that_race_get_one_value_and_the_others_are_dropped() {
        struct Counted(Arc<AtomicUsize>, usize);
        impl Drop for Counted {
            fn drop(&mut self) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        let dropped = Arc::new(AtomicUsize::new(0));
        let made = AtomicUsize::new(0);
        let once = OnceBox::new();
        assert!(once.get().is_none());
        let start = std::sync::Barrier::new(4);
        let values: Vec<usize> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|number| {
                    let (once, made, start, dropped) = (&once, &made, &start, &dropped);
                    scope.spawn(move || {
                        start.wait();
                        let make = || {
                            made.fetch_add(1, Ordering::Relaxed);
                            Counted(Arc::clone(dropped), number)
                        };
                        once.get_or_init(make).1
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("no panic"))
                .collect()
        });
        assert!(values.iter().all(|value| *value == values[0]));
        drop(once);
        assert_eq!(
            dropped.load(Ordering::Relaxed),
            made.load(Ordering::Relaxed)
        );
    }

    #[test]
    fn a_value_is_made_once_and_shown() {
        let once = OnceBox::default();
        assert_eq!(format!("{once:?}"), "OnceBox(None)");
        assert_eq!(once.get_or_init(|| 1), &1);
        assert_eq!(once.get_or_init(|| 2), &1);
        assert_eq!(format!("{:?}", OnceBox::from(3)), "OnceBox(Some(3))");
    }

    #[test]
    fn a_value_that_comes_second_comes_back() {
        let once = OnceBox::new();
        assert_eq!(once.set(1), Ok(()));
        assert_eq!(once.set(2), Err(2));
        assert_eq!(once.get(), Some(&1));
    }
}
