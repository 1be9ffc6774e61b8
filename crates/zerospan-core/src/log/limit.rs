//! Limits on the rate of logging.

use super::suppressed;
use crate::sync::OnceBox;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The shortest time between two events of one cause.
const INTERVAL: Duration = Duration::from_secs(60);

/// Logs an event of one cause at most once a minute, and counts those in between.
///
/// Keeps the log from growing with the traffic when each span or each request fails.
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
    pub fn log(&self, event: impl FnOnce(u64) + Send + 'static) {
        if let Some(skipped) = self.admit() {
            suppressed(move || event(skipped));
        }
    }

    /// Returns the number of events skipped since the last, or `None` if this one is skipped too.
    ///
    /// For events that have to copy what they log: admitted, pass them to [`suppressed`].
    pub fn admit(&self) -> Option<u64> {
        let elapsed = EPOCH.get_or_init(Instant::now).elapsed();
        let now = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX - 1) + 1;
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
    pub fn warn(&self, event: impl FnOnce() + Send + 'static) {
        if self.admit() {
            suppressed(event);
        }
    }

    /// Returns `true` if the event is to be logged.
    ///
    /// For events that have to copy what they log: admitted, pass them to [`suppressed`].
    pub fn admit(&self) -> bool {
        let admitted = !self.is_set.load(Ordering::Relaxed)
            && !self.is_set.swap(true, Ordering::Relaxed)
            && self.limit.admit().is_some();
        if admitted {
            self.is_logged.store(true, Ordering::Relaxed);
        }
        admitted
    }

    /// Lets the next event be logged again; returns `true` if one was logged since the last reset.
    pub fn reset(&self) -> bool {
        self.is_set.load(Ordering::Relaxed)
            && self.is_set.swap(false, Ordering::Relaxed)
            && self.is_logged.swap(false, Ordering::Relaxed)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::log::suppress_telemetry;
    use opentelemetry::Context;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u64>>>);

    impl Log {
        fn add(&self, number: u64) {
            assert!(Context::is_current_telemetry_suppressed());
            self.0.lock().expect("no panic").push(number);
        }

        fn take(&self) -> Vec<u64> {
            std::mem::take(&mut self.0.lock().expect("no panic"))
        }
    }

    #[test]
    fn an_event_is_logged_once_until_reset_and_with_telemetry_suppressed() {
        let own = suppress_telemetry();
        let (warning, log) = (WarnOnce::new(), Log::default());
        for _ in 0..2 {
            let log = log.clone();
            warning.warn(move || log.add(0));
        }
        assert_eq!(log.take(), [0]);
        assert!(warning.reset());
        assert!(!warning.reset());
        drop(own);
        assert!(!Context::is_current_telemetry_suppressed());
    }

    /// Lets a minute pass for `limit`.
    fn age(limit: &LogLimit) {
        // The process may be younger than a minute.
        limit.logged_at.store(0, Ordering::Relaxed);
    }

    #[test]
    fn what_comes_and_goes_is_logged_once_a_minute() {
        let _own = suppress_telemetry();
        let (warning, log) = (WarnOnce::new(), Log::default());
        for _ in 1..=3 {
            for flap in 0..10_000 {
                let log = log.clone();
                warning.warn(move || log.add(flap));
                // What was not logged needs no word about its end.
                assert_eq!(warning.reset(), flap == 0);
            }
            assert_eq!(log.take(), [0]);
            age(&warning.limit);
        }
    }

    #[test]
    fn a_limit_logs_once_a_minute_and_tells_how_many_were_skipped() {
        let _own = suppress_telemetry();
        let (limit, log) = (LogLimit::new(), Log::default());
        let fail = || {
            let log = log.clone();
            limit.log(move |skipped| log.add(skipped));
        };
        for _ in 0..2 {
            (0..10_000).for_each(|_| fail());
            age(&limit);
        }
        fail();
        assert_eq!(log.take(), [0, 9_999, 9_999]);
    }

    #[test]
    fn of_threads_that_log_at_once_one_does() {
        let (limit, log) = (LogLimit::new(), Log::default());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let _own = suppress_telemetry();
                    for _ in 0..1000 {
                        let log = log.clone();
                        limit.log(move |skipped| log.add(skipped));
                    }
                });
            }
        });
        assert_eq!(log.take(), [0]);
        assert_eq!(limit.skipped.into_inner(), 7_999);
    }
}
