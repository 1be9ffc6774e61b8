//! Events that a thread of the user's causes, and that a thread of their own logs.

use super::thread::{run, suppress_here, suppress_telemetry};
use crate::fork::{self, PerProcess};
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
    /// Events for which there was no room since the last word about it.
    lost: u64,
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
                lost: 0,
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
    // A child that is not detected would wait for a thread that it does not have.
    let _ = fork::watch();
    let subscriber = get_default(Clone::clone);
    let shared = shared();
    let mut queue = shared.queue();
    if queue.events.len() >= MAX_WAITING {
        queue.lost += 1;
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
        let lost = match queue.events.is_empty() {
            true => std::mem::take(&mut queue.lost),
            false => 0,
        };
        drop(queue);
        let log = move || {
            log();
            if lost > 0 {
                tracing::warn!(
                    name: "EventsNotLogged",
                    lost,
                    "events of the tracer were not logged: the subscriber was too slow for them"
                );
            }
        };
        // The subscriber's drop is user code too.
        run(move || with_default(&subscriber, log));
        shared.queue().logged += 1;
        shared.progress.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, channel};
    use tracing::field::{Field, Visit};
    use tracing::{Metadata, Subscriber, span};

    const LONG: Duration = Duration::from_secs(10);

    /// Counts events, and adds up their fields `lost`.
    #[derive(Clone, Default)]
    struct Counting(std::sync::Arc<Mutex<(u64, u64)>>);

    impl Subscriber for Counting {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
            span::Id::from_u64(1)
        }

        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

        fn event(&self, event: &tracing::Event<'_>) {
            struct Lost(u64);
            impl Visit for Lost {
                fn record_u64(&mut self, field: &Field, value: u64) {
                    if field.name() == "lost" {
                        self.0 += value;
                    }
                }

                fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
            }
            let mut lost = Lost(0);
            event.record(&mut lost);
            let mut counts = lock(&self.0);
            *counts = (counts.0 + 1, counts.1 + lost.0);
        }

        fn enter(&self, _: &span::Id) {}

        fn exit(&self, _: &span::Id) {}
    }

    /// Keeps the thread that logs busy with `in_log`.
    fn busy(in_log: impl FnOnce() + Send + 'static) {
        let (sender, receiver) = channel();
        defer(Box::new(move || {
            let _ = sender.send(());
            in_log();
        }));
        receiver.recv_timeout(LONG).expect("logged");
    }

    fn until_told(receiver: Receiver<()>) -> impl FnOnce() + Send {
        move || {
            let _ = receiver.recv_timeout(LONG);
        }
    }

    #[test]
    fn events_for_which_there_was_no_room_are_counted_in_the_log() {
        let counting = Counting::default();
        with_default(&Dispatch::new(counting.clone()), || {
            let (go, receiver) = channel();
            busy(until_told(receiver));
            for _ in 0..MAX_WAITING + 44 {
                defer(Box::new(|| tracing::info!("an event")));
            }
            go.send(()).expect("it waits");
            settle(LONG);
        });
        let (events, lost) = *lock(&counting.0);
        // Other tests of this process log too.
        assert_eq!(events - 1 + lost, MAX_WAITING as u64 + 44);
        assert!(lost >= 44, "{lost}");
    }

    #[cfg(unix)]
    #[test]
    #[allow(unsafe_code)]
    fn a_child_forked_while_the_thread_logs_logs_on_its_own() {
        use std::io::{Read, Write};
        use std::os::unix::net::UnixStream;

        let (go, receiver) = channel();
        busy(until_told(receiver));
        let (mut here, mut there) = UnixStream::pair().expect("a socket");
        // SAFETY: the child logs, as a program that forks would, and leaves by `_exit`.
        let child = unsafe { libc::fork() };
        assert!(child >= 0);
        if child == 0 {
            let start = Instant::now();
            let mut log = there.try_clone().expect("a descriptor");
            defer(Box::new(move || drop(log.write_all(b"logged"))));
            settle(LONG);
            if start.elapsed() < LONG / 2 {
                let _ = there.write_all(b", settled");
            }
            // SAFETY: ends the child at once, without the destructors of a test harness it is no part of.
            unsafe { libc::_exit(0) };
        }
        drop(there);
        here.set_read_timeout(Some(2 * LONG)).expect("a timeout");
        let mut said = String::new();
        here.read_to_string(&mut said).expect("the child ends");
        assert_eq!(said, "logged, settled");
        let mut status = 0;
        // SAFETY: `child` is the process made above, and `status` is where its end is written to.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        go.send(()).expect("it waits");
        settle(LONG);
    }
}
