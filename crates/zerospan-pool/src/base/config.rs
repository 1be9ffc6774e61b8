use zerospan_core::{Recycle, fork};

/// The default retention limit of a pool: 64 KiB of heap memory for each object that it keeps.
pub const DEFAULT_RETENTION_LIMIT: usize = 64 * 1024;

/// The settings that all pools have.
#[derive(Clone, Debug)]
pub(crate) struct PoolConfig<R> {
    pub(crate) recycle: R,
    pub(crate) capacity: usize,
    pub(crate) retention_limit: usize,
}

impl<R> PoolConfig<R> {
    pub(crate) fn new(capacity: usize, recycle: R) -> Self {
        Self {
            recycle,
            capacity,
            retention_limit: DEFAULT_RETENTION_LIMIT,
        }
    }

    /// Resets `object`, and returns it with the heap memory that it then retains; hands it back as an error if that is more
    /// than the limit.
    ///
    /// If `recycle` panics, calls `on_panic`, then drops the object, then lets the panic continue.
    #[inline]
    pub(crate) fn recycle<T>(&self, mut object: T, on_panic: impl Fn()) -> Result<(T, usize), T>
    where
        R: Recycle<T>,
    {
        let guard = OnUnwind(on_panic);
        self.recycle.reset(&mut object);
        let retained = self.recycle.heap_bytes(&object);
        std::mem::forget(guard);
        if retained <= self.retention_limit {
            Ok((object, retained))
        } else {
            Err(object)
        }
    }
}

/// Lets a forked child start with an empty pool. If the system refuses, the child shares its parent's state.
pub(crate) fn watch_forks() {
    let _ = fork::watch();
}

/// Calls the function when a panic unwinds through it. Forget it otherwise.
pub(crate) struct OnUnwind<F: Fn()>(pub(crate) F);

impl<F: Fn()> Drop for OnUnwind<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
