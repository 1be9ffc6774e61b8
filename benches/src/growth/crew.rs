use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread::JoinHandle;

/// Threads that stay, and work together whenever they are told to: what a thread keeps for its next span is kept.
pub(super) struct Crew {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    begin: Barrier,
    end: Barrier,
    recorded: AtomicU64,
    is_over: AtomicBool,
}

impl Crew {
    /// `threads` threads, each with a tracer of its own that leads to the same provider.
    pub(super) fn of<T: Clone + Send + 'static>(
        threads: u64,
        tracer: &T,
        work: fn(&T) -> u64,
    ) -> Self {
        // The caller is the one more.
        let shared = Arc::new(Shared {
            begin: Barrier::new(threads as usize + 1),
            end: Barrier::new(threads as usize + 1),
            recorded: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
        });
        let thread = |_| {
            let (shared, tracer) = (Arc::clone(&shared), tracer.clone());
            std::thread::spawn(move || {
                loop {
                    shared.begin.wait();
                    if shared.is_over.load(Ordering::Relaxed) {
                        return;
                    }
                    shared.recorded.fetch_add(work(&tracer), Ordering::Relaxed);
                    shared.end.wait();
                }
            })
        };
        let threads = (0..threads).map(thread).collect();
        Self { shared, threads }
    }

    /// Has every thread work once; says how many spans they recorded.
    pub(super) fn work(&self) -> u64 {
        self.shared.begin.wait();
        self.shared.end.wait();
        self.shared.recorded.swap(0, Ordering::Relaxed)
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        self.shared.begin.wait();
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}
