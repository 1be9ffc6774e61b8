//! Which process this is, known without a system call: a number that each forked child raises.

use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

static GENERATION: AtomicU64 = AtomicU64::new(0);
static WATCH: Once = Once::new();

/// Has the process count its forks from here on, if it does not yet. A pipeline does this when it is built.
///
/// A child made by a raw `clone` system call, which runs no handlers, goes unnoticed.
pub fn watch_forks() {
    WATCH.call_once(install);
}

/// How many forks lie between this process and the one that called [`watch_forks`] first: what a cache that a forked child
/// must not share is told by. One load, nothing shared is written.
#[inline]
pub fn fork_generation() -> u64 {
    GENERATION.load(Ordering::Relaxed)
}

#[cfg(unix)]
#[allow(unsafe_code)]
fn install() {
    extern "C" fn in_the_child() {
        GENERATION.fetch_add(1, Ordering::Relaxed);
    }
    // SAFETY: the handler lives as long as the program and does nothing but an atomic addition, which may be done
    // between `fork` and whatever comes after it in a child of a process with many threads.
    let failed = unsafe { libc::pthread_atfork(None, None, Some(in_the_child)) };
    if failed != 0 {
        tracing::warn!(
            name: "ForkUnwatched",
            error = failed,
            "a forked child will not start clean: pthread_atfork had no memory"
        );
    }
}

#[cfg(not(unix))]
fn install() {}
