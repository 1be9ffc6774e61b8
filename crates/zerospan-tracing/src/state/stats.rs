use std::sync::atomic::{AtomicU64, Ordering};

/// The number of spans that a layer holds, and of everything that it could not keep.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LayerStats {
    /// Spans that are open, including those that the sampler dropped.
    pub open: usize,
    /// The maximum number of open spans: see [`with_max_spans`](crate::TraceLayer::with_max_spans).
    pub max_spans: usize,
    /// Spans that were not recorded because `max_spans` were open.
    pub rejected_spans: u64,
    /// Spans that were replaced by a later span with the same id: their close never reached the layer.
    pub replaced_spans: u64,
    /// Values that are missing because formatting them panicked.
    pub panicked_values: u64,
    /// Enters without effect because too many spans were entered on the thread: their guards were leaked.
    pub rejected_enters: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Losses {
    pub(crate) rejected_spans: AtomicU64,
    pub(crate) replaced_spans: AtomicU64,
    pub(crate) panicked_values: AtomicU64,
    pub(crate) rejected_enters: AtomicU64,
}

impl Losses {
    pub(crate) fn count(counter: &AtomicU64, number: u64) {
        counter.fetch_add(number, Ordering::Relaxed);
    }
}
