use zerospan_core::Recycle;

/// The heap memory, in bytes, that an object may retain in a pool whose builder did not say otherwise: 64 KiB.
pub const DEFAULT_RETENTION_LIMIT: usize = 64 * 1024;

/// On which terms a pool keeps objects.
#[derive(Clone, Debug)]
pub(crate) struct Terms<R> {
    pub(crate) recycle: R,
    pub(crate) capacity: usize,
    pub(crate) retention_limit: usize,
}

impl<R> Terms<R> {
    pub(crate) fn new(capacity: usize, recycle: R) -> Self {
        Self {
            recycle,
            capacity,
            retention_limit: DEFAULT_RETENTION_LIMIT,
        }
    }

    /// Resets `object` and says whether it may be kept: `Err` hands back one that retains too much.
    ///
    /// Where the reset or the judgement panics, `on_panic` is called, then the object is dropped, then the panic goes on.
    #[inline]
    pub(crate) fn renew<T>(&self, mut object: T, on_panic: impl Fn()) -> Result<T, T>
    where
        R: Recycle<T>,
    {
        let alarm = Alarm(&on_panic);
        self.recycle.reset(&mut object);
        let retained = self.recycle.heap_bytes(&object);
        std::mem::forget(alarm);
        if retained <= self.retention_limit {
            Ok(object)
        } else {
            Err(object)
        }
    }
}

/// Goes off unless it is forgotten: where a panic unwinds past it.
pub(crate) struct Alarm<'a, F: Fn()>(pub(crate) &'a F);

impl<F: Fn()> Drop for Alarm<'_, F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
