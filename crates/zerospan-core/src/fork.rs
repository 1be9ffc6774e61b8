//! Detects forks without a system call: a counter that a `pthread_atfork` handler increments in each child.

use std::io;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

static GENERATION: AtomicU64 = AtomicU64::new(0);
static WATCH: Once = Once::new();

/// Starts counting the forks of this process. Later calls do nothing and return `Ok`.
///
/// A child made by a raw `clone` system call runs no handlers and goes undetected.
///
/// # Errors
///
/// The error of `pthread_atfork`, if it lacks memory: a forked child is not detected then.
pub fn watch() -> io::Result<()> {
    let mut result = Ok(());
    WATCH.call_once(|| result = install());
    result
}

/// Returns the number of forks between the process that first called [`watch`] and this one. One relaxed load.
#[inline]
pub fn generation() -> u64 {
    GENERATION.load(Ordering::Relaxed)
}

#[cfg(unix)]
#[allow(unsafe_code)]
fn install() -> io::Result<()> {
    extern "C" fn in_child() {
        GENERATION.fetch_add(1, Ordering::Relaxed);
    }
    // SAFETY: the handler is a function of this program, so it outlives every fork, and it performs one atomic addition, which
    // is async-signal-safe and therefore allowed in a child of a process with several threads.
    let failed = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    match failed {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

#[cfg(not(unix))]
fn install() -> io::Result<()> {
    Ok(())
}
