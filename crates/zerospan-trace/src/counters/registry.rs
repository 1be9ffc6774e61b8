use super::{Counters, Totals};
use std::sync::Arc;
use zerospan_core::fork::{self, PerProcess};
use zerospan_core::sync::{self, Mutex, MutexGuard};

/// The counters of the threads that use a provider. A forked child starts with none.
#[derive(Debug)]
pub(crate) struct ThreadRegistry(PerProcess<Mutex<Threads>>);

#[derive(Debug, Default)]
struct Threads {
    live: Vec<Arc<Counters>>,
    /// The counts of threads that have exited.
    exited: Totals,
}

impl ThreadRegistry {
    pub(crate) fn new() -> Self {
        Self(PerProcess::default())
    }

    /// Includes a thread's counters from now on. Returns the current fork generation.
    pub(crate) fn register(&self, counters: &Arc<Counters>) -> u64 {
        self.lock().live.push(Arc::clone(counters));
        fork::generation()
    }

    /// Keeps what a thread has counted, and resets its counters.
    pub(crate) fn unregister(&self, counters: &Arc<Counters>) {
        let mut threads = self.lock();
        if let Some(index) = threads
            .live
            .iter()
            .position(|other| Arc::ptr_eq(other, counters))
        {
            threads.live.swap_remove(index);
            threads.exited.add(counters);
        }
        counters.reset();
    }

    /// Returns the sum over all threads, and the number of threads that are registered.
    pub(crate) fn totals(&self) -> (Totals, usize) {
        let threads = self.lock();
        let mut totals = threads.exited;
        for counters in &threads.live {
            totals.add(counters);
        }
        (totals, threads.live.len())
    }

    /// Returns `true` if a thread of this process has used the provider.
    pub(crate) fn is_used_here(&self) -> bool {
        self.0.get().is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Threads> {
        sync::lock(self.0.current())
    }
}
