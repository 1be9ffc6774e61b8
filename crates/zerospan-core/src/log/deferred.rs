//! Events that a thread of the user's causes, and that a thread of their own logs.

use super::thread::{run, suppress_here, suppress_telemetry};
use crate::fork::PerProcess;
use crate::sync::{Condvar, Mutex, MutexGuard, lock, wait};
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use tracing::Dispatch;
use tracing::dispatcher::{get_default, with_default};

/// Max events that wait. Each kind is logged seldom, so more of them are a mistake.
const MAX_WAITING: usize = 256;

/// An event, with the subscriber of the thread that caused it.
struct Event {
    subscriber: Dispatch,
    log: Box<dyn FnOnce() + Send>,
}

struct Queue {
    events: VecDeque<Event>,
    /// A thread is logging, or is about to start.
    has_thread: bool,
    /// Events that were ever added, and that are logged.
    added: u64,
    logged: u64,
}

struct Shared {
    queue: Mutex<Queue>,
    progress: Condvar,
}

impl Shared {
    const fn new() -> Self {
        Self {
            queue: Mutex::new(Queue {
                events: VecDeque::new(),
                has_thread: false,
                added: 0,
                logged: 0,
            }),
            progress: Condvar::new(),
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        lock(&self.queue)
    }
}

/// A forked child has none of its parent's threads, and its parent's events are not its own.
static SHARED: PerProcess<Shared> = PerProcess::new_static(Shared::new());

fn shared() -> &'static Shared {
    SHARED.current_or_init(Shared::new)
}

/// Adds an event. Starts a thread for it if there is none; if the system refuses one, the event waits for the next
/// [`settle`].
pub(super) fn defer(log: Box<dyn FnOnce() + Send>) {
    let subscriber = get_default(Clone::clone);
    let shared = shared();
    let mut queue = shared.queue();
    if queue.events.len() >= MAX_WAITING {
        return;
    }
    queue.events.push_back(Event { subscriber, log });
    queue.added += 1;
    if queue.has_thread {
        return;
    }
    queue.has_thread = true;
    drop(queue);
    let thread = std::thread::Builder::new().name("zerospan-log".to_owned());
    let started = thread.spawn(|| {
        let _suppressed = suppress_telemetry();
        log_all();
    });
    if started.is_err() {
        shared.queue().has_thread = false;
    }
}

/// Waits until the events that were added before are logged, for `timeout` at most.
pub(super) fn settle(timeout: Duration) {
    let shared = shared();
    let mut queue = shared.queue();
    let target = queue.added;
    let deadline = Instant::now() + timeout;
    while queue.logged < target {
        if !queue.has_thread {
            // The system refused a thread.
            queue.has_thread = true;
            drop(queue);
            let _suppressed = suppress_here();
            log_all();
            return;
        }
        if deadline <= Instant::now() {
            return;
        }
        queue = wait(&shared.progress, &shared.queue, queue, Some(deadline));
    }
}

/// Logs what waits, as the only thread that does.
fn log_all() {
    let shared = shared();
    loop {
        let mut queue = shared.queue();
        let Some(Event { subscriber, log }) = queue.events.pop_front() else {
            queue.has_thread = false;
            return;
        };
        drop(queue);
        // The subscriber's drop is user code too.
        run(move || with_default(&subscriber, log));
        shared.queue().logged += 1;
        shared.progress.notify_all();
    }
}
