use crate::base::config::PoolConfig;
use crate::base::stats::{Counters, PoolStats, add};
use crate::pool::Return;
use zerospan_core::Recycle;

/// The storage of idle objects, shared by all threads.
pub(super) trait Store {
    /// The stored objects.
    type Object;

    /// Removes an object.
    fn pop(&self) -> Option<Self::Object>;

    /// Stores an object; hands it back if the store is full.
    fn push(&self, object: Self::Object) -> Result<(), Self::Object>;

    /// Returns the number of objects.
    fn len(&self) -> usize;
}

/// A pool over any store.
pub(super) struct StorePool<S, R> {
    pub(super) config: PoolConfig<R>,
    pub(super) store: S,
    counters: Counters,
}

impl<S, R> StorePool<S, R> {
    pub(super) fn new(capacity: usize, recycle: R, store: S) -> Self {
        Self {
            config: PoolConfig::new(capacity, recycle),
            store,
            counters: Counters::default(),
        }
    }

    pub(super) fn stats(&self) -> PoolStats {
        self.counters.snapshot()
    }
}

impl<S: Store, R: Recycle<S::Object>> StorePool<S, R> {
    pub(super) fn take(&self) -> S::Object {
        let (object, counter) = match self.store.pop() {
            Some(object) => (object, &self.counters.hits),
            None => (self.config.recycle.create(), &self.counters.misses),
        };
        add(counter, 1);
        object
    }

    pub(super) fn put(&self, returned: Return<S::Object>) {
        let counters = &self.counters;
        let (dropped, counter) = match returned {
            Return::Reuse(object) => {
                match self.config.recycle(object, || add(&counters.panicked, 1)) {
                    Ok(object) => match self.store.push(object) {
                        Ok(()) => (None, &counters.returns),
                        Err(object) => (Some(object), &counters.full),
                    },
                    Err(object) => (Some(object), &counters.too_large),
                }
            }
            Return::Unwound(object) => (Some(object), &counters.panicked),
            Return::Detached => (None, &counters.detached),
        };
        add(counter, 1);
        drop(dropped);
    }

    pub(super) fn warm_up(&self, count: usize) -> usize {
        let mut created = 0;
        while created < count && self.store.len() < self.config.capacity {
            if self.store.push(self.config.recycle.create()).is_err() {
                break;
            }
            add(&self.counters.warmed_up, 1);
            created += 1;
        }
        created
    }

    pub(super) fn shrink(&self, keep: usize) -> usize {
        let mut freed = Vec::new();
        while self.store.len() > keep
            && let Some(object) = self.store.pop()
        {
            freed.push(object);
        }
        let count = freed.len();
        add(&self.counters.shrunk, count as u64);
        drop(freed);
        count
    }
}

/// Implements the parts that all pools over a [`StorePool`] have.
macro_rules! impl_store_pool {
    ($name:ident) => {
        impl<T, R> $name<T, R> {
            /// Keeps only objects that retain at most `bytes` of heap memory after their reset; 64 KiB by default.
            #[must_use]
            pub fn with_retention_limit(mut self, bytes: usize) -> Self {
                self.0.config.retention_limit = bytes;
                self
            }
        }

        impl<T, R: ::zerospan_core::Recycle<T>> $crate::Pool for $name<T, R> {
            type Object = T;

            fn take(&self) -> T {
                self.0.take()
            }

            fn put(&self, returned: $crate::Return<T>) {
                self.0.put(returned);
            }

            fn capacity(&self) -> usize {
                self.0.config.capacity
            }

            fn len(&self) -> usize {
                self.0.store.len()
            }

            fn stats(&self) -> $crate::PoolStats {
                self.0.stats()
            }

            fn warm_up(&self, count: usize) -> usize {
                self.0.warm_up(count)
            }

            fn shrink(&self, keep: usize) -> usize {
                self.0.shrink(keep)
            }
        }

        impl<T, R: ::std::fmt::Debug> ::std::fmt::Debug for $name<T, R> {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("config", &self.0.config)
                    .field("len", &self.0.store.len())
                    .finish_non_exhaustive()
            }
        }
    };
}

pub(super) use impl_store_pool;
