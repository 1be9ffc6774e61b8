//! W3C trace context in HTTP headers, as each side does it. How often that allocates is counted, so that it can be told apart
//! from what a tracer does.

pub(crate) mod stock;
pub(crate) mod traced;

use std::sync::atomic::{AtomicU64, Ordering};
use zerospan_core::dev::Allocations;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

/// How many allocations propagation has made in this process.
pub(crate) fn allocations() -> u64 {
    ALLOCATIONS.load(Ordering::Relaxed)
}

fn counted<R>(work: impl FnOnce() -> R) -> R {
    let (outcome, allocations) = Allocations::measure(work);
    ALLOCATIONS.fetch_add(allocations.count, Ordering::Relaxed);
    outcome
}
