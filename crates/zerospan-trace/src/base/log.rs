use opentelemetry::Context;
use std::panic::catch_unwind;

/// Calls `event`, which logs, with telemetry suppressed. Does nothing if the thread is exiting and has no context any more.
///
/// A subscriber is user code: call this without a lock or a borrow.
pub(crate) fn suppressed(event: impl FnOnce()) {
    if let Ok(_suppressed) = catch_unwind(Context::enter_telemetry_suppressed_scope) {
        event();
    }
}
