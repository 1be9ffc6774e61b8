//! Logging that is never traced.

use crate::sync::OnceBox;
use opentelemetry::{Context, ContextGuard};
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Suppresses telemetry on this thread until the guard is dropped.
///
/// Returns `None` where the thread is ending and has no context any more.
pub fn suppress_telemetry() -> Option<ContextGuard> {
    // The API crate panics where its thread-local is destroyed, and this may run in a destructor of another one.
    catch_unwind(Context::enter_telemetry_suppressed_scope).ok()
}

/// Runs `event`, which logs, with telemetry suppressed. Does nothing where telemetry cannot be suppressed.
///
/// A subscriber is code of the user's: call this without a lock or a borrow.
pub fn suppressed(event: impl FnOnce()) {
    if let Some(_guard) = suppress_telemetry() {
        event();
    }
}

/// The shortest time between two events of one cause.
const INTERVAL: Duration = Duration::from_secs(60);

/// Logs an event of one cause at most once a minute, and counts those in between.
///
/// Where something fails for each span, or for each request, the log would otherwise grow with the traffic.
#[derive(Debug, Default)]
pub struct LogLimit {
    /// Milliseconds since [`EPOCH`] at the last event, plus one: zero before the first.
    logged_at: AtomicU64,
    skipped: AtomicU64,
}

impl LogLimit {
    /// Returns a limit that has not logged.
    pub const fn new() -> Self {
        Self {
            logged_at: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
        }
    }

    /// Runs `event` as [`suppressed`] does, with the number of events that were skipped since the last; or skips this one.
    pub fn log(&self, event: impl FnOnce(u64)) {
        if let Some(skipped) = self.admit() {
            suppressed(|| event(skipped));
        }
    }

    /// Returns the number of events skipped since the last, or `None` if this one is skipped too.
    fn admit(&self) -> Option<u64> {
        let now = u64::try_from(EPOCH.get_or_init(Instant::now).elapsed().as_millis())
            .unwrap_or(u64::MAX - 1)
            + 1;
        let last = self.logged_at.load(Ordering::Relaxed);
        let is_due = last == 0 || Duration::from_millis(now.saturating_sub(last)) >= INTERVAL;
        // Of several threads, one logs.
        let exchange = || {
            self.logged_at
                .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
        };
        if is_due && exchange() {
            return Some(self.skipped.swap(0, Ordering::Relaxed));
        }
        self.skipped.fetch_add(1, Ordering::Relaxed);
        None
    }
}

static EPOCH: OnceBox<Instant> = OnceBox::new();

/// Logs an event once until it is reset, and at most once a minute: a state that comes and goes does not fill the log.
#[derive(Debug, Default)]
pub struct WarnOnce {
    /// An event happened since the last reset.
    is_set: AtomicBool,
    /// And it was logged.
    is_logged: AtomicBool,
    limit: LogLimit,
}

impl WarnOnce {
    /// Returns a `WarnOnce` that has not logged.
    pub const fn new() -> Self {
        Self {
            is_set: AtomicBool::new(false),
            is_logged: AtomicBool::new(false),
            limit: LogLimit::new(),
        }
    }

    /// Runs `event` as [`suppressed`] does, unless one happened since the last [`reset`](Self::reset), or was logged less
    /// than a minute ago.
    pub fn warn(&self, event: impl FnOnce()) {
        if !self.is_set.load(Ordering::Relaxed)
            && !self.is_set.swap(true, Ordering::Relaxed)
            && self.limit.admit().is_some()
        {
            self.is_logged.store(true, Ordering::Relaxed);
            suppressed(event);
        }
    }

    /// Lets the next event be logged again; returns `true` if one was logged since the last reset.
    pub fn reset(&self) -> bool {
        self.is_set.load(Ordering::Relaxed)
            && self.is_set.swap(false, Ordering::Relaxed)
            && self.is_logged.swap(false, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_logged_once_until_reset_and_with_telemetry_suppressed() {
        let warning = WarnOnce::new();
        let logged = std::cell::Cell::new(0);
        let log = || {
            assert!(Context::is_current_telemetry_suppressed());
            logged.set(logged.get() + 1);
        };
        warning.warn(log);
        warning.warn(log);
        assert_eq!(logged.get(), 1);
        assert!(!Context::is_current_telemetry_suppressed());
        assert!(warning.reset());
        assert!(!warning.reset());
    }

    /// Lets a minute pass for `limit`.
    fn age(limit: &LogLimit) {
        // The process may be younger than a minute.
        limit.logged_at.store(0, Ordering::Relaxed);
    }

    #[test]
    fn what_comes_and_goes_is_logged_once_a_minute() {
        let warning = WarnOnce::new();
        let logged = std::cell::Cell::new(0);
        for minute in 1..=3 {
            for flap in 0..10_000 {
                warning.warn(|| logged.set(logged.get() + 1));
                // What was not logged needs no word about its end.
                assert_eq!(warning.reset(), flap == 0);
            }
            assert_eq!(logged.get(), minute);
            age(&warning.limit);
        }
    }

    #[test]
    fn a_limit_logs_once_a_minute_and_tells_how_many_were_skipped() {
        let limit = LogLimit::new();
        let logged = std::cell::RefCell::new(Vec::new());
        let log = |skipped| {
            assert!(Context::is_current_telemetry_suppressed());
            logged.borrow_mut().push(skipped);
        };
        for _ in 0..2 {
            (0..10_000).for_each(|_| limit.log(log));
            age(&limit);
        }
        limit.log(log);
        assert_eq!(*logged.borrow(), [0, 9_999, 9_999]);
    }

    #[test]
    fn of_threads_that_log_at_once_one_does() {
        let limit = LogLimit::new();
        let logged = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        limit.log(|_| {
                            logged.fetch_add(1, Ordering::Relaxed);
                        });
                    }
                });
            }
        });
        assert_eq!(logged.into_inner(), 1);
        assert_eq!(limit.skipped.into_inner(), 7_999);
    }
}
