use crate::chunk::Chunk;
use std::time::Duration;

/// The bounds of one pipeline, checked and fit to one another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Capacity of a chunk.
    pub(crate) chunk_bytes: usize,
    /// A chunk that is this long is handed over: what is left is room for the span that comes next, so that buffers seldom
    /// grow.
    pub(crate) chunk_full_at: usize,
    /// A chunk with this many spans is handed over.
    pub(crate) chunk_spans: usize,
    /// Bytes that all chunks together may hold.
    pub(crate) chunks_bytes: usize,
    /// Spans that are handed over and not yet in a request.
    pub(crate) queue_spans: usize,
    /// Spans in one request.
    pub(crate) batch_spans: usize,
    /// Bytes in one request.
    pub(crate) request_bytes: usize,
    /// Bytes in one span.
    pub(crate) span_bytes: usize,
    /// How long a span waits at most before it is sent.
    pub(crate) schedule_delay: Duration,
    /// How long a request may take, retries included.
    pub(crate) timeout: Duration,
    /// How long the drop of the last handle waits.
    pub(crate) drop_timeout: Duration,
}

impl Limits {
    /// Gives back what a buffer grew beyond a chunk's capacity and was not charged for.
    pub(crate) fn shrink(&self, chunk: &mut Chunk) {
        let keep = chunk.charged.max(self.chunk_bytes);
        chunk.shrink_to(keep);
    }
}
