//! Memory that is freed once it was idle for some time.

use std::time::Instant;

/// Keeps memory for reuse, and frees it in time.
pub trait Trim: Send + Sync {
    /// Frees what was not used in the last interval, if that is over. Returns when to call this again; `None` if nothing is kept
    /// by now.
    fn trim(&self, now: Instant) -> Option<Instant>;
}
