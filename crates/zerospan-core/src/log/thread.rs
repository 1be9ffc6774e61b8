//! The state of a thread: whether it suppresses telemetry, and whether it may call a subscriber.

use crate::{context, panics};
use opentelemetry::{Context, ContextGuard};
use std::cell::Cell;
use std::marker::PhantomData;

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

/// Returns `true` on a thread of this family's that is not calling a subscriber.
pub(super) fn is_own() -> bool {
    THREAD.get() == Thread::Own
}

/// Returns `true` within a subscriber that this family calls.
#[cfg(not(loom))]
pub(super) fn is_logging() -> bool {
    THREAD.get() == Thread::Logging
}

/// Calls a subscriber.
pub(super) fn run(event: impl FnOnce()) {
    let _logging = Suppressed::new(Thread::Logging, None);
    let _ = panics::catch(event);
}
