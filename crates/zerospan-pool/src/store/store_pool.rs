use crate::base::config::{PoolConfig, watch_forks};
use crate::base::stats::{Counters, PoolStats, add};
use crate::pool::Return;
use zerospan_core::Recycle;
use zerospan_core::fork::PerProcess;

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

    /// Builds an empty store of the same capacity.
    fn empty(&self) -> Self;
}

/// A pool over any store.
pub(super) struct StorePool<S, R> {
    pub(super) config: PoolConfig<R>,
    /// A forked child starts with an empty one.
    shared: PerProcess<Shared<S>>,
}

struct Shared<S> {
    store: S,
    counters: Counters,
}

impl<S> Shared<S> {
    fn new(store: S) -> Self {
        Self {
            store,
            counters: Counters::default(),
        }
    }
}

impl<S, R> StorePool<S, R> {
    pub(super) fn new(capacity: usize, recycle: R, store: S) -> Self {
        watch_forks();
        Self {
            config: PoolConfig::new(capacity, recycle),
            shared: PerProcess::new(Shared::new(store)),
        }
    }
}

impl<S: Store, R> StorePool<S, R> {
    #[inline]
    fn shared(&self) -> &Shared<S> {
        self.shared
            .current_or_init(|| Shared::new(self.shared.original().store.empty()))
    }

    pub(super) fn store(&self) -> &S {
        &self.shared().store
    }

    pub(super) fn stats(&self) -> PoolStats {
        self.shared().counters.snapshot()
    }
}

impl<S: Store, R: Recycle<S::Object>> StorePool<S, R> {
    pub(super) fn take(&self) -> S::Object {
        let Shared { store, counters } = self.shared();
        let (object, counter) = match store.pop() {
            Some(object) => (object, &counters.hits),
            None => (self.config.recycle.create(), &counters.misses),
        };
        add(counter, 1);
        object
    }

    pub(super) fn put(&self, returned: Return<S::Object>) {
        let Shared { store, counters } = self.shared();
        let (dropped, counter) = match returned {
            Return::Reuse(object) => {
                match self.config.recycle(object, || add(&counters.panicked, 1)) {
                    Ok((object, _)) => match store.push(object) {
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
        while created < count && self.store().len() < self.config.capacity {
            if self.store().push(self.config.recycle.create()).is_err() {
                break;
            }
            add(&self.shared().counters.warmed_up, 1);
            created += 1;
        }
        created
    }

    pub(super) fn shrink(&self, keep: usize) -> usize {
        let mut freed = Vec::new();
        while self.store().len() > keep
            && let Some(object) = self.store().pop()
        {
            freed.push(object);
        }
        let count = freed.len();
        add(&self.shared().counters.shrunk, count as u64);
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
                self.0.store().len()
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
                    .field("len", &self.0.store().len())
                    .finish_non_exhaustive()
            }
        }
    };
}

pub(super) use impl_store_pool;
