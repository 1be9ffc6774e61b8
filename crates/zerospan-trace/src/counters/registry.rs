use super::{Counters, Totals};
use std::sync::Arc;
use zerospan_core::fork;
use zerospan_core::sync::{self, Mutex, MutexGuard};

/// The counters of the threads that use a provider.
#[derive(Debug)]
pub(crate) struct ThreadRegistry(Mutex<Threads>);

#[derive(Debug)]
struct Threads {
    /// The fork generation of the process that counted.
    generation: u64,
    live: Vec<Arc<Counters>>,
    /// The counts of threads that have exited.
    exited: Totals,
}

impl ThreadRegistry {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Threads::new(fork::generation())))
    }

    /// Includes a thread's counters from now on. Returns the current fork generation.
    pub(crate) fn register(&self, counters: &Arc<Counters>) -> u64 {
        let mut threads = self.lock();
        threads.live.push(Arc::clone(counters));
        threads.generation
    }

    /// Keeps what a thread has counted, and resets its counters.
    pub(crate) fn unregister(&self, counters: &Arc<Counters>) {
        let mut threads = self.lock();
        // Counters that are not found were registered before a fork: they belong to the parent process.
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

    /// A forked child inherits its parent's counts in memory: it starts with none.
    fn lock(&self) -> MutexGuard<'_, Threads> {
        let mut threads = sync::lock(&self.0);
        let generation = fork::generation();
        if threads.generation != generation {
            *threads = Threads::new(generation);
        }
        threads
    }
}

impl Threads {
    fn new(generation: u64) -> Self {
        Self {
            generation,
            live: Vec::new(),
            exited: Totals::default(),
        }
    }
}
