//! Logging that is never traced.

use opentelemetry::{Context, ContextGuard};
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicBool, Ordering};

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

/// Logs an event once until it is reset.
#[derive(Debug, Default)]
pub struct WarnOnce(AtomicBool);

impl WarnOnce {
    /// Returns a `WarnOnce` that has not logged.
    pub const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Runs `event` as [`suppressed`] does, unless it ran since the last [`reset`](Self::reset).
    pub fn warn(&self, event: impl FnOnce()) {
        if !self.0.load(Ordering::Relaxed) && !self.0.swap(true, Ordering::Relaxed) {
            suppressed(event);
        }
    }

    /// Lets the next event be logged again; returns `true` if one was.
    pub fn reset(&self) -> bool {
        self.0.load(Ordering::Relaxed) && self.0.swap(false, Ordering::Relaxed)
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
        warning.warn(log);
        assert_eq!(logged.get(), 2);
    }
}
