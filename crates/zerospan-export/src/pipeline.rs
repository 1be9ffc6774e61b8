//! The handles of a pipeline.

pub(crate) mod builder;
mod handle;
#[cfg(feature = "metrics")]
mod metrics;
pub(crate) mod producer;
mod thread_buffers;

use crate::base::error::{FlushError, ShutdownError};
use crate::base::scope::Scope;
use crate::base::stats::{DropCause, ExportStats};
use crate::queue::inner::PipelineInner;
use handle::Handle;
use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;
use thread_buffers::{CHECKED, TRUSTED};
use zerospan_core::log;
use zerospan_otlp::EncodedResource;
use zerospan_pool::trim::Trim;
use zerospan_transport::Signal;

/// Takes encoded items of one signal from any thread and delivers them to a collector.
///
/// Cloning it copies a pointer. Dropping the last handle without [`shutdown`](Self::shutdown) flushes for at most
/// [`with_drop_timeout`](crate::PipelineBuilder::with_drop_timeout).
///
/// In a forked child the same handles lead to a pipeline that starts empty: it exports no item of the parent's, and its counts
/// start at zero.
#[derive(Clone)]
pub struct Pipeline(Arc<Handle>);

impl Pipeline {
    fn from_inner(inner: PipelineInner) -> Self {
        Self(Arc::new(Handle::new(inner)))
    }

    #[inline]
    fn inner(&self) -> &Arc<PipelineInner> {
        self.0.inner()
    }

    /// Returns the signal that the pipeline was built for.
    pub fn signal(&self) -> Signal {
        self.0.origin.config.signal
    }

    /// Records one item of `scope`: `encode` appends it to a vector, as one field `ScopeSpans.spans` or
    /// `ScopeLogs.log_records` (tag `0x12`, length, message).
    ///
    /// Touches nothing that threads share, except once per chunk of up to 64 KiB. Allocates nothing, except while the
    /// pipeline's memory grows to what it needs, and for an item larger than a chunk.
    ///
    /// `encode` gets an empty vector, whose memory the next item of the thread uses. It runs without a lock, so it may do
    /// anything, such as record other items or flush.
    ///
    /// # Errors
    ///
    /// The cause for which the item was dropped. It is counted in the statistics as well.
    ///
    /// # Panics
    ///
    /// If `encode` does. The item is counted as malformed, and earlier ones are kept.
    pub fn record(
        &self,
        scope: &Scope,
        encode: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), DropCause> {
        let inner = self.inner();
        let outcome = thread_buffers::record_foreign(inner, scope, encode);
        if let Err(cause) = outcome {
            inner.warn_once(cause);
        }
        outcome
    }

    /// Records one item that `encode` appends to this thread's chunk, which is locked meanwhile.
    ///
    /// For encoders of this family: `encode` appends exactly one item, which is not checked, does not panic, and calls no code of
    /// the user's.
    ///
    /// # Errors
    ///
    /// The cause for which the item was dropped. It is counted in the statistics as well.
    #[doc(hidden)]
    #[inline]
    pub fn record_trusted(
        &self,
        scope: &Scope,
        encode: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), DropCause> {
        let inner = self.inner();
        let outcome = thread_buffers::record::<TRUSTED>(inner, scope, encode);
        if let Err(cause) = outcome {
            inner.warn_once(cause);
        }
        outcome
    }

    /// Records one encoded item, a field as [`record`](Self::record) describes it.
    ///
    /// # Errors
    ///
    /// The cause for which the item was dropped. It is counted in the statistics as well.
    #[inline]
    pub fn record_encoded(&self, scope: &Scope, field: &[u8]) -> Result<(), DropCause> {
        let inner = self.inner();
        let append = |chunk: &mut Vec<u8>| chunk.extend_from_slice(field);
        let outcome = thread_buffers::record::<CHECKED>(inner, scope, append);
        if let Err(cause) = outcome {
            inner.warn_once(cause);
        }
        outcome
    }

    /// Logs a loss, like [`Producer::warn_dropped`](crate::Producer::warn_dropped).
    #[doc(hidden)]
    pub fn warn_dropped(&self, cause: DropCause) {
        self.inner().warn_once(cause);
    }

    /// Sets the resource if the builder did not; returns `false` if it is set already. Requests sent before have none.
    pub fn set_resource(&self, resource: EncodedResource) -> bool {
        self.0.origin.config.resource.set(resource).is_ok()
    }

    /// Returns `true` if a flush is due: the queue has no room for another full chunk, or less than half of the memory for
    /// chunks is left. For threads that record into a pipeline [without a worker](crate::PipelineBuilder::without_worker).
    ///
    /// Reads two numbers without a lock, so it may be called for each item. Allocates nothing.
    #[inline]
    pub fn should_flush(&self) -> bool {
        self.inner().should_flush()
    }

    /// Waits until all items recorded before, on any thread, are delivered.
    ///
    /// # Errors
    ///
    /// [`FlushError`] reports the items that were not delivered. Items that are pending when `timeout` passes stay pending.
    pub fn force_flush(&self, timeout: Duration) -> Result<(), FlushError> {
        let outcome = self.0.flush(timeout);
        log::settle();
        outcome
    }

    /// Flushes for at most `timeout` and ends the worker. Items recorded from now on are dropped and counted.
    ///
    /// # Errors
    ///
    /// [`ShutdownError`] reports the items that were not delivered. Items that are pending when `timeout` passes are dropped
    /// and counted, except for the request that is being sent: it stays in flight until it is answered or times out.
    pub fn shutdown(&self, timeout: Duration) -> Result<(), ShutdownError> {
        let outcome = self.0.shut_down(timeout);
        log::settle();
        outcome
    }

    /// Returns where every item is at this instant: [`ExportStats::is_balanced`] holds.
    ///
    /// Allocates once. Locks the chunks of all threads while it counts, for well below a microsecond per thread.
    pub fn stats(&self) -> ExportStats {
        self.inner().stats()
    }

    /// Has the worker free memory of the caller's in time, for as long as that exists. A pipeline without a worker frees it when
    /// it is flushed. In a forked child this is to be called again.
    #[doc(hidden)]
    pub fn trim_too(&self, other: Weak<dyn Trim>) {
        self.inner().state().others.add(other);
    }

    /// Returns a view of the statistics that outlives the pipeline and does not keep it open.
    pub fn watch(&self) -> StatsWatch {
        StatsWatch(Arc::clone(&self.0.origin))
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline")
            .field("signal", &self.signal())
            .field("limits", &self.0.origin.limits)
            .finish_non_exhaustive()
    }
}

/// Reads the statistics of a pipeline without keeping it open.
#[derive(Clone, Debug)]
pub struct StatsWatch(Arc<PipelineInner>);

impl StatsWatch {
    /// Returns where every item is, like [`Pipeline::stats`], also after the pipeline is dropped.
    pub fn stats(&self) -> ExportStats {
        self.0.current().stats()
    }

    #[cfg(feature = "metrics")]
    fn signal(&self) -> Signal {
        self.0.config.signal
    }
}
