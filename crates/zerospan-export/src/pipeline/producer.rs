use super::Pipeline;
use crate::base::scope::Scope;
use crate::base::stats::DropCause;
use crate::queue::inner::PipelineInner;
use crate::queue::thread_buffer::ThreadBuffer;
use opentelemetry::trace::Status;
use std::fmt;
use std::sync::Arc;
use zerospan_otlp::SpanRecorder;

/// Records into a pipeline through a chunk of its own: made by [`Pipeline::producer`].
///
/// A thread that records all the time keeps one, so that recording looks up nothing and shares nothing. Several threads may
/// share one, and then wait for one another. Dropping it hands over its items.
pub struct Producer {
    inner: Arc<PipelineInner>,
    buffer: Arc<ThreadBuffer>,
}

impl Pipeline {
    /// Creates a [`Producer`].
    ///
    /// Allocates once, and once more for its first item if no chunk is free. A producer that is used after a fork records into
    /// the child's pipeline, with an allocation per item: create another there.
    pub fn producer(&self) -> Producer {
        Producer::new(Arc::clone(self.inner()))
    }
}

/// The length beyond which an item may not fit into what a chunk has left.
const LARGE_BYTES: usize = 2 << 10;

impl Producer {
    pub(crate) fn new(inner: Arc<PipelineInner>) -> Self {
        let buffer = inner.register();
        Self { inner, buffer }
    }

    /// Records the span of `scope` that `span` holds, which ended with `status` at `end_unix_nanos`, nanoseconds since 1970.
    ///
    /// Touches nothing that threads share, except once per chunk of up to 64 KiB. Allocates nothing, except while the
    /// pipeline's memory grows to what it needs, and for a span larger than a chunk.
    ///
    /// # Errors
    ///
    /// The cause for which the span was dropped. It is counted in the statistics as well.
    #[inline]
    pub fn record_span(
        &self,
        scope: &Scope,
        span: &SpanRecorder,
        end_unix_nanos: u64,
        status: &Status,
    ) -> Result<(), DropCause> {
        let recorded = span.recorded_bytes();
        if recorded > LARGE_BYTES {
            self.make_room_for(recorded);
        }
        let outcome =
            self.record_trusted(scope, |chunk| span.finish(end_unix_nanos, status, chunk));
        if let Err(cause) = outcome {
            self.warn_dropped(cause);
        }
        outcome
    }

    /// Records one item of `scope` that `encode` appends, without checking it.
    ///
    /// For encoders of this family: `encode` appends exactly one item, does not panic, and calls no code of the user's, since
    /// the producer's chunk is locked.
    ///
    /// # Errors
    ///
    /// The cause for which the item was dropped. It is counted in the statistics, and for the caller to pass to
    /// [`warn_dropped`](Self::warn_dropped).
    #[doc(hidden)]
    #[inline]
    pub fn record_trusted(
        &self,
        scope: &Scope,
        encode: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), DropCause> {
        if !self.inner.is_current() {
            return self.record_after_fork(scope, encode);
        }
        self.buffer.record(&self.inner, |chunk, dropped| {
            chunk.append_trusted(scope, self.inner.limits.item_bytes, dropped, encode)
        })
    }

    /// Hands over the chunk if a large item would make its buffer grow.
    #[cold]
    #[inline(never)]
    fn make_room_for(&self, len: usize) {
        if self.inner.is_current() {
            self.buffer.make_room_for(&self.inner, len);
        }
    }

    /// Logs, once per outage, that items are dropped. A subscriber is code of the user's: call this without a lock or a borrow.
    #[doc(hidden)]
    pub fn warn_dropped(&self, cause: DropCause) {
        self.inner.current().warn_once(cause);
    }

    /// Records through a temporary producer: the buffer of this one belongs to the parent process.
    #[cold]
    fn record_after_fork(
        &self,
        scope: &Scope,
        encode: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), DropCause> {
        let inner = Arc::clone(self.inner.current());
        Self::new(inner).record_trusted(scope, encode)
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        // In a forked child the buffer is a copy of the parent's, which exports the items.
        if self.inner.is_current() {
            self.inner.unregister(&self.buffer);
        }
    }
}

impl fmt::Debug for Producer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer").finish_non_exhaustive()
    }
}
