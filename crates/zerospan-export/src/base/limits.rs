use std::time::Duration;

/// Caps timeouts so that adding one to an `Instant` cannot overflow.
pub(crate) const MAX_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 3600);

/// The bounds of one pipeline, checked and consistent with one another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Capacity of a chunk.
    pub(crate) chunk_bytes: usize,
    /// Length at which a chunk is handed over. The rest is room for the item that reaches it, so that buffers seldom grow.
    pub(crate) chunk_full_at: usize,
    /// Number of items at which a chunk is handed over.
    pub(crate) chunk_items: usize,
    /// Max bytes in all chunks together.
    pub(crate) chunks_bytes: usize,
    /// Max items that are handed over and not yet in a request: `usize::MAX` if only the memory limits them.
    pub(crate) queue_items: usize,
    /// Max items in one request: `usize::MAX` if only bytes are counted.
    pub(crate) request_items: usize,
    /// Number of queued bytes that fill a request, which then takes no further chunk.
    pub(crate) batch_bytes: usize,
    /// Max bytes in one request.
    pub(crate) request_bytes: usize,
    /// Max bytes in one item.
    pub(crate) item_bytes: usize,
    /// Max time that an item waits before it is sent.
    pub(crate) schedule_delay: Duration,
    /// Max time for one request, retries included.
    pub(crate) timeout: Duration,
    /// Max time that the drop of the last handle waits.
    pub(crate) drop_timeout: Duration,
}

impl Limits {
    /// Returns the max items in the queue; `None` if only the memory limits them.
    pub(crate) fn max_queue_items(&self) -> Option<usize> {
        (self.queue_items != usize::MAX).then_some(self.queue_items)
    }
}
