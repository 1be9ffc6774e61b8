//! Logging that is never traced.
//!
//! A subscriber is code of the user's: it may take locks, use the API's current context, and trace. A span may end, and a
//! pipeline be dropped, while the API holds a lock or a borrow, and in a destructor of a thread-local. Threads of the user's
//! therefore log nothing themselves: a thread of its own does.

#[cfg(not(loom))]
mod deferred;
mod limit;
mod thread;

pub use limit::{LogLimit, WarnOnce};
pub use thread::{
    Suppressed, is_suppressed, is_suppressed_by_api, is_suppressed_here, suppress_here,
    suppress_telemetry,
};

use std::error::Error;
use std::time::Duration;

/// The longest wait of [`settle`].
const SETTLE_TIMEOUT: Duration = Duration::from_secs(1);

/// The longest wait of a thread of the family's for events that others caused before.
const ORDER_TIMEOUT: Duration = Duration::from_millis(100);

/// Runs `event`, which logs, with telemetry suppressed: at once on a thread of this family's, and soon on another thread
/// otherwise, with the subscriber of this one. Catches its panic.
///
/// May be called anywhere but under a lock of this family's.
pub fn suppressed(event: impl FnOnce() + Send + 'static) {
    if thread::is_own() {
        settle_within(ORDER_TIMEOUT);
        thread::run(event);
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

/// Returns the texts of the causes of `error`, from its source to the last, for a field of an event. `None` if it has none.
pub fn causes(error: &dyn Error) -> Option<String> {
    let mut source = error.source()?;
    let mut text = source.to_string();
    while let Some(next) = source.source() {
        text.push_str(": ");
        text.push_str(&next.to_string());
        source = next;
    }
    Some(text)
}

fn settle_within(timeout: Duration) {
    #[cfg(not(loom))]
    if !thread::is_logging() {
        deferred::settle(timeout);
    }
    #[cfg(loom)]
    let _ = timeout;
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use opentelemetry::Context;
    use std::sync::mpsc;
    use std::thread;

    const LONG: Duration = Duration::from_secs(30);

    /// Returns the thread that logs for a thread of the user's, and whether telemetry is suppressed there.
    fn logged_by() -> (thread::ThreadId, bool) {
        let (sender, receiver) = mpsc::channel();
        suppressed(move || {
            let suppressed = Context::is_current_telemetry_suppressed() && is_suppressed_here();
            let _ = sender.send((thread::current().id(), suppressed));
        });
        receiver.recv_timeout(LONG).expect("logged")
    }

    #[test]
    fn a_context_of_the_apis_suppresses_telemetry_as_this_family_does() {
        let suppressed = || {
            (
                is_suppressed_by_api(),
                is_suppressed_here(),
                is_suppressed(),
            )
        };
        assert_eq!(suppressed(), (false, false, false));
        {
            let _api = Context::enter_telemetry_suppressed_scope();
            assert_eq!(suppressed(), (true, false, true));
        }
        assert_eq!(suppressed(), (false, false, false));
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
        settle_within(LONG);
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
        let next = || receiver.recv_timeout(LONG);
        assert_eq!((next(), next()), (Ok("outer"), Ok("inner")));
    }
}
