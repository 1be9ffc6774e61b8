//! Threads that live as long as a comparison.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread::JoinHandle;

/// Threads that do the same work each time they are released. They stay alive between runs, and so do their thread-locals.
#[derive(Debug)]
pub struct Threads {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    start: Barrier,
    end: Barrier,
    done: AtomicU64,
    is_over: AtomicBool,
}

impl Threads {
    /// Starts `count` threads; each run of `work` returns how much it did.
    pub fn new(count: u64, work: impl FnMut() -> u64 + Clone + Send + 'static) -> Self {
        // The caller is the additional one.
        let shared = Arc::new(Shared {
            start: Barrier::new(count as usize + 1),
            end: Barrier::new(count as usize + 1),
            done: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
        });
        let spawn = |_| {
            let (shared, mut work) = (Arc::clone(&shared), work.clone());
            std::thread::spawn(move || {
                loop {
                    shared.start.wait();
                    if shared.is_over.load(Ordering::Relaxed) {
                        return;
                    }
                    shared.done.fetch_add(work(), Ordering::Relaxed);
                    shared.end.wait();
                }
            })
        };
        let threads = (0..count).map(spawn).collect();
        Self { shared, threads }
    }

    /// Releases every thread for one run.
    pub fn start(&self) {
        self.shared.start.wait();
    }

    /// Waits for every thread and returns the sum of what they did.
    pub fn finish(&self) -> u64 {
        self.shared.end.wait();
        self.shared.done.swap(0, Ordering::Relaxed)
    }

    /// Releases every thread, waits for all of them and returns the sum of what they did.
    pub fn run(&self) -> u64 {
        self.start();
        self.finish()
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        self.shared.start.wait();
        for thread in self.threads.drain(..) {
            // A panic has been printed.
            let _ = thread.join();
        }
    }
}
