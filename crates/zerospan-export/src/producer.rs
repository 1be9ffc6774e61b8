use crate::core::Core;
use crate::slot::Slot;
use crate::{DropCause, Scope};
use opentelemetry::trace::Status;
use std::fmt;
use std::sync::Arc;
use zerospan_otlp::SpanRecorder;

/// One thread's own way into a pipeline, for spans that a [`SpanRecorder`] holds: made by
/// [`Pipeline::producer`](crate::Pipeline::producer).
///
/// It has a chunk of its own, so that recording looks for nothing and shares nothing. Several threads may use one, and then
/// wait for each other. When it is dropped, what it holds is handed over.
pub struct Producer {
    core: Arc<Core>,
    slot: Arc<Slot>,
}

impl Producer {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        let slot = core.register();
        Self { core, slot }
    }

    /// Records the span of `scope` that `span` holds, and that ended at `end_unix_nanos`, nanoseconds since 1970, with `status`.
    ///
    /// Touches nothing that threads share, but once for each chunk of up to 64 KiB. Allocates nothing, but while the
    /// pipeline's memory grows to what it needs, and for a span that is larger than a chunk.
    ///
    /// # Errors
    ///
    /// Why the span was dropped. It is counted, whether you look at the error or not.
    #[inline]
    pub fn record(
        &self,
        scope: &Scope,
        span: &SpanRecorder,
        end_unix_nanos: u64,
        status: &Status,
    ) -> Result<(), DropCause> {
        if !self.core.is_of_this_process() {
            return self.record_in_the_child(scope, span, end_unix_nanos, status);
        }
        let outcome = self.slot.record(&self.core, |chunk, dropped| {
            let most = self.core.limits.span_bytes;
            chunk.append_recorded(scope, span, end_unix_nanos, status, most, dropped)
        });
        if let Err(cause) = outcome {
            self.core.complain(cause);
        }
        outcome
    }

    /// What was made in the process that this one was forked from has nothing of its own here.
    #[cold]
    fn record_in_the_child(
        &self,
        scope: &Scope,
        span: &SpanRecorder,
        end_unix_nanos: u64,
        status: &Status,
    ) -> Result<(), DropCause> {
        let core = Arc::clone(self.core.of_this_process());
        Self::new(core).record(scope, span, end_unix_nanos, status)
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        // In a forked child the chunk is a copy of what the parent holds, and its spans are the parent's.
        if self.core.is_of_this_process() {
            self.core.deregister(&self.slot);
        }
    }
}

impl fmt::Debug for Producer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer").finish_non_exhaustive()
    }
}
