//! W3C trace context in HTTP headers. Its allocations are count_allocations apart from those of the tracer.

pub(crate) mod official;
pub(crate) mod zerospan;

use std::sync::atomic::{AtomicU64, Ordering};
use zerospan_core::dev::Allocations;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

/// Returns the number of allocations that propagation has made in this process.
pub(crate) fn allocations() -> u64 {
    ALLOCATIONS.load(Ordering::Relaxed)
}

fn count_allocations<R>(work: impl FnOnce() -> R) -> R {
    let (outcome, allocations) = Allocations::measure(work);
    ALLOCATIONS.fetch_add(allocations.count, Ordering::Relaxed);
    outcome
}
