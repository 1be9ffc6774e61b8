//! Logging that is never traced.
//!
//! A subscriber is code of the user's: it may take locks, use the API's current context, and trace. A span may end, and a
//! pipeline be dropped, while the API holds a lock or a borrow, and in a destructor of a thread-local. Threads of the user's
//! therefore log nothing themselves: a thread of its own does.

#[cfg(not(loom))]
mod deferred;
mod limit;

pub use limit::{LogLimit, WarnOnce};

use crate::{context, panics};
use opentelemetry::{Context, ContextGuard};
use std::cell::Cell;
use std::marker::PhantomData;
use std::time::Duration;

/// The longest wait of [`settle`].
const SETTLE_TIMEOUT: Duration = Duration::from_secs(1);

/// The longest wait of a thread of the family's for events that others caused before.
const ORDER_TIMEOUT: Duration = Duration::from_millis(100);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Thread {
    /// A thread of the user's.
    Users,
    /// A thread of the user's that does the work of a pipeline.
    Lent,
    /// A thread that this family started.
    Own,
    /// A thread that is calling a subscriber for this family.
    Logging,
}

thread_local! {
    static THREAD: Cell<Thread> = const { Cell::new(Thread::Users) };
}

/// Suppresses telemetry on the thread until it is dropped.
#[derive(Debug)]
#[must_use]
pub struct Suppressed {
    before: Thread,
    _context: Option<ContextGuard>,
    not_send: PhantomData<*const ()>,
}

impl Suppressed {
    fn new(thread: Thread, context: Option<ContextGuard>) -> Self {
        Self {
            before: THREAD.replace(thread),
            _context: context,
            not_send: PhantomData,
        }
    }
}

impl Drop for Suppressed {
    fn drop(&mut self) {
        THREAD.set(self.before);
    }
}

/// Suppresses telemetry on a thread that this family started.
pub fn suppress_telemetry() -> Suppressed {
    let context = panics::catch(Context::enter_telemetry_suppressed_scope).ok();
    Suppressed::new(Thread::Own, context)
}

/// Suppresses the telemetry of this family on a thread of the user's.
///
/// Does not change the API's context, which may be borrowed: what the official SDK records is suppressed only if the caller
/// suppressed it.
pub fn suppress_here() -> Suppressed {
    let thread = match THREAD.get() {
        Thread::Users => Thread::Lent,
        other => other,
    };
    Suppressed::new(thread, None)
}

/// Returns `true` if this family suppresses telemetry on this thread, whatever the API's context says.
#[inline]
pub fn is_suppressed_here() -> bool {
    THREAD.get() != Thread::Users
}

/// Returns `true` if telemetry is suppressed on this thread.
pub fn is_suppressed() -> bool {
    is_suppressed_here() || is_suppressed_by_api()
}

/// Returns `true` if the API's current context suppresses telemetry.
pub fn is_suppressed_by_api() -> bool {
    context::with_current(Context::is_telemetry_suppressed).unwrap_or(false)
}

/// Runs `event`, which logs, with telemetry suppressed: at once on a thread of this family's, and soon on another thread
/// otherwise, with the subscriber of this one. Catches its panic.
///
/// May be called anywhere but under a lock of this family's.
pub fn suppressed(event: impl FnOnce() + Send + 'static) {
    if THREAD.get() == Thread::Own {
        settle_within(ORDER_TIMEOUT);
        run(event);
    } else {
        #[cfg(not(loom))]
        deferred::defer(Box::new(event));
        // A model logs nothing.
        #[cfg(loom)]
        drop(event);
    }
}

/// Waits until what was logged before is logged, for a second at most. For the end of operations after which a process may
/// end.
///
/// Calls the subscriber on this thread if the system refused another. Does nothing within a subscriber.
pub fn settle() {
    settle_within(SETTLE_TIMEOUT);
}

fn settle_within(timeout: Duration) {
    #[cfg(not(loom))]
    if THREAD.get() != Thread::Logging {
        deferred::settle(timeout);
    }
    #[cfg(loom)]
    let _ = timeout;
}

/// Calls a subscriber.
fn run(event: impl FnOnce()) {
    let _logging = Suppressed::new(Thread::Logging, None);
    let _ = panics::catch(event);
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::thread;

    /// Returns the thread that logs for a thread of the user's, and whether telemetry is suppressed there.
    fn logged_by() -> (thread::ThreadId, bool) {
        let (sender, receiver) = mpsc::channel();
        suppressed(move || {
            let suppressed = Context::is_current_telemetry_suppressed() && is_suppressed_here();
            let _ = sender.send((thread::current().id(), suppressed));
        });
        receiver.recv_timeout(SETTLE_TIMEOUT).expect("logged")
    }

    #[test]
    fn a_thread_of_the_users_has_its_events_logged_by_another_that_is_suppressed() {
        let (thread, suppressed) = logged_by();
        assert_ne!(thread, thread::current().id());
        assert!(suppressed);
        assert!(!is_suppressed());
        let lent = suppress_here();
        assert!(is_suppressed() && !Context::is_current_telemetry_suppressed());
        assert_ne!(logged_by().0, thread::current().id());
        drop(lent);
        assert!(!is_suppressed());
        let _own = suppress_telemetry();
        assert_eq!(logged_by(), (thread::current().id(), true));
    }

    #[test]
    fn an_event_is_logged_while_the_context_is_borrowed() {
        let other = Context::map_current(|_| logged_by().0);
        assert_ne!(other, thread::current().id());
    }

    #[test]
    fn settle_waits_for_what_was_logged_before() {
        let (sender, receiver) = mpsc::channel();
        for number in 0..10 {
            let sender = sender.clone();
            suppressed(move || {
                thread::sleep(Duration::from_millis(5));
                let _ = sender.send(number);
            });
        }
        settle();
        assert!(receiver.try_iter().eq(0..10));
    }

    #[test]
    fn a_subscriber_may_panic_log_and_wait() {
        let (sender, receiver) = mpsc::channel();
        suppressed(move || {
            settle();
            let inner = sender.clone();
            // Not within this one, which may hold a lock of the subscriber's.
            suppressed(move || inner.send("inner").expect("received"));
            let _ = sender.send("outer");
            std::panic::resume_unwind(Box::new("on purpose"));
        });
        settle();
        let next = || receiver.recv_timeout(SETTLE_TIMEOUT);
        assert_eq!((next(), next()), (Ok("outer"), Ok("inner")));
    }
}
