//! W3C trace context in HTTP headers. Its allocations are counted apart from those of the tracer.

pub(crate) mod control;
pub(crate) mod instrumented;
pub(crate) mod official;
pub(crate) mod zerospan;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::propagation::{Extractor, Injector};
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

/// The headers of a request, to read.
struct Incoming<'a>(&'a HeaderMap);

impl Extractor for Incoming<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

/// The headers of a request, to write.
struct Outgoing<'a>(&'a mut HeaderMap);

impl Injector for Outgoing<'_> {
    fn set(&mut self, key: &str, value: String) {
        // A name or a value that HTTP does not allow is left out: the next service then starts a new trace.
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(key), HeaderValue::try_from(value)) {
            self.0.insert(name, value);
        }
    }
}
