use crate::batch_config::FOR_EVER;
use crate::core::Core;
use crate::state::Worker;
use crate::{
    DropCause, ExportStats, FlushError, PipelineBuilder, Producer, Scope, ShutdownError, local,
    worker,
};
use opentelemetry::Context;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use zerospan_core::sync;
use zerospan_otlp::EncodedResource;

/// Takes encoded spans from any thread and gets them to a collector.
///
/// Cloning it copies a pointer. When the last handle is dropped without [`shutdown`](Self::shutdown), what was recorded is
/// flushed for as long as [`with_drop_timeout`](PipelineBuilder::with_drop_timeout) allows.
///
/// In a forked child the same handles lead to a pipeline that begins anew: nothing of the parent's is exported, and the
/// counts begin at zero.
#[derive(Clone)]
pub struct Pipeline(Arc<Handle>);

struct Handle {
    core: Arc<Core>,
}

impl Pipeline {
    /// Begins to set up a pipeline.
    pub fn builder() -> PipelineBuilder {
        PipelineBuilder::default()
    }

    pub(crate) fn from_core(core: Core) -> Self {
        Self(Arc::new(Handle {
            core: Arc::new(core),
        }))
    }

    #[inline]
    fn core(&self) -> &Arc<Core> {
        self.0.core.of_this_process()
    }

    /// Records one span of `scope`: `encode` appends it, as one field `ScopeSpans.spans` (tag `0x12`, length, message), to
    /// this thread's chunk.
    ///
    /// Touches nothing that threads share, but once for each chunk of up to 64 KiB. Allocates nothing, but while the
    /// pipeline's memory grows to what it needs, and for a span that is larger than a chunk.
    ///
    /// `encode` must only append. It runs with this thread's chunk locked: it may record other spans, but neither flush nor
    /// ask for [`stats`](Self::stats).
    ///
    /// # Errors
    ///
    /// Why the span was dropped. It is counted, whether you look at the error or not.
    ///
    /// # Panics
    ///
    /// If `encode` does; the span is counted as malformed, and earlier ones are safe.
    #[inline]
    pub fn record(
        &self,
        scope: &Scope,
        encode: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), DropCause> {
        let core = self.core();
        let outcome = local::record(core, scope, encode);
        if let Err(cause) = outcome {
            core.complain(cause);
        }
        outcome
    }

    /// Records one span that is encoded already: `field` is one field `ScopeSpans.spans`. Otherwise like
    /// [`record`](Self::record).
    ///
    /// # Errors
    ///
    /// Why the span was dropped. It is counted, whether you look at the error or not.
    #[inline]
    pub fn record_encoded(&self, scope: &Scope, field: &[u8]) -> Result<(), DropCause> {
        self.record(scope, |chunk| chunk.extend_from_slice(field))
    }

    /// A way into the pipeline of the caller's own, for spans that a recorder holds: what a tracer keeps for each thread.
    ///
    /// Allocates once, and once more for its first span where no chunk is idle. Where it is used after a fork, it records into
    /// the pipeline of the child, at the price of an allocation for each span: make another there.
    pub fn producer(&self) -> Producer {
        Producer::new(Arc::clone(self.core()))
    }

    /// Says what the spans are about, if the builder did not; `false` if that is settled already. Requests that were sent
    /// before have no resource.
    pub fn set_resource(&self, resource: EncodedResource) -> bool {
        self.0.core.setup.resource.set(resource).is_ok()
    }

    /// Whether it is time for a flush, if nobody else does it: the queue has no room for another full chunk, or less than half
    /// of the memory for chunks is left. For whoever records into a pipeline
    /// [without a worker](PipelineBuilder::without_worker).
    ///
    /// Reads two numbers and takes no lock: it may be asked before each span. Allocates nothing.
    #[inline]
    pub fn wants_flush(&self) -> bool {
        self.core().wants_flush()
    }

    /// Waits until everything that was recorded before, on any thread, is delivered.
    ///
    /// # Errors
    ///
    /// [`FlushError`] says what was not: given up, or still on its way when `timeout` was over. What is on its way stays so.
    ///
    /// # Panics
    ///
    /// If it is called by the closure of [`record`](Self::record).
    pub fn force_flush(&self, timeout: Duration) -> Result<(), FlushError> {
        local::assert_not_recording("force_flush");
        let core = self.core();
        if core.is_closed() {
            return Err(FlushError::ShutDown);
        }
        let until = Instant::now() + timeout.min(FOR_EVER);
        let lost_before = core.state().ledger.undelivered;
        let target = core.sweep();
        if let Some(hand) = &core.by_hand {
            let mut hand = sync::lock(hand);
            worker::by_hand(core, &mut hand, target, until);
        }
        let mut state = core.state();
        state.flush_to = state.flush_to.max(target);
        core.wake(state);
        let mut state = core.state();
        while state.settled() < target {
            if state.wants_worker() {
                worker::start(core, &mut state);
            }
            if state.wants_worker() || until <= Instant::now() {
                let pending = target - state.settled();
                return Err(FlushError::TimedOut { pending });
            }
            if state.worker == Worker::Ended {
                return Err(FlushError::ShutDown);
            }
            state = core.await_worker(state, until);
        }
        match state.ledger.undelivered - lost_before {
            0 => Ok(()),
            lost => Err(FlushError::Lost { lost }),
        }
    }

    /// Flushes, for as long as `timeout` allows, and ends the worker. What is recorded from here on is dropped and counted.
    ///
    /// # Errors
    ///
    /// [`ShutdownError`] says what was not delivered. What the collector has not yet acknowledged when `timeout` is over is
    /// dropped and counted, but for the request that is being sent: it stays in flight until it is answered or its own
    /// time is over.
    ///
    /// # Panics
    ///
    /// If it is called by the closure of [`record`](Self::record).
    pub fn shutdown(&self, timeout: Duration) -> Result<(), ShutdownError> {
        local::assert_not_recording("shutdown");
        shut_down(self.core(), timeout)
    }

    /// Where every span is, at this instant: [`ExportStats::is_balanced`] holds.
    ///
    /// Allocates once. Holds every thread's chunk for the time of the count, well below a microsecond a thread.
    ///
    /// # Panics
    ///
    /// If it is called by the closure of [`record`](Self::record).
    pub fn stats(&self) -> ExportStats {
        local::assert_not_recording("stats");
        self.core().stats()
    }

    /// A view of the statistics that outlives the pipeline and does not keep it open.
    pub fn watch(&self) -> StatsWatch {
        StatsWatch(Arc::clone(&self.0.core))
    }
}

/// Looks at a pipeline's statistics without keeping the pipeline open.
#[derive(Clone, Debug)]
pub struct StatsWatch(Arc<Core>);

impl StatsWatch {
    /// Where every span is, like [`Pipeline::stats`]: also when the pipeline is gone.
    ///
    /// # Panics
    ///
    /// If it is called by the closure of [`Pipeline::record`].
    pub fn stats(&self) -> ExportStats {
        local::assert_not_recording("stats");
        self.0.of_this_process().stats()
    }
}

fn shut_down(core: &Arc<Core>, timeout: Duration) -> Result<(), ShutdownError> {
    if !core.close() {
        return Err(ShutdownError::AlreadyShutDown);
    }
    let until = Instant::now() + timeout.min(FOR_EVER);
    let lost_before = core.state().ledger.undelivered;
    let target = core.sweep();
    if let Some(hand) = &core.by_hand {
        let mut hand = sync::lock(hand);
        worker::by_hand(core, &mut hand, target, until);
        worker::put_down(core, &mut hand);
    }
    let mut state = core.state();
    state.shutdown = Some(until);
    if state.wants_worker() {
        if state.queued_spans() > 0 {
            worker::start(core, &mut state);
        }
        if state.wants_worker() {
            // There is nothing to do, or no thread to be had to do it.
            state.discard_queue(DropCause::ShutdownTimeout, &core.limits);
            state.worker = Worker::Ended;
        }
    }
    core.wake(state);
    let mut state = core.state();
    while state.worker == Worker::Running && Instant::now() < until {
        state = core.await_worker(state, until);
    }
    if state.worker == Worker::Running {
        state.discard_queue(DropCause::ShutdownTimeout, &core.limits);
        core.publish(&state);
    }
    // With the worker are the spans that are being sent, and what is left of the chunks they were cut from.
    let in_flight = state.in_flight() + state.queued_spans() as u64;
    let lost = state.ledger.undelivered - lost_before;
    match (lost, in_flight) {
        (0, 0) => Ok(()),
        (lost, in_flight) => Err(ShutdownError::Lost { lost, in_flight }),
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let core = self.core.of_this_process();
        if worker::is_this_thread() {
            // A transport held the last handle: its own worker cannot wait for itself.
            core.close();
            core.state().shutdown = Some(Instant::now());
            return;
        }
        if let Err(ShutdownError::Lost { lost, in_flight }) =
            shut_down(core, core.limits.drop_timeout)
        {
            let _quiet = Context::enter_telemetry_suppressed_scope();
            tracing::warn!(
                name: "PipelineDropped",
                lost,
                in_flight,
                "a pipeline was dropped without a shutdown, and not all of its spans were delivered"
            );
        }
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline")
            .field("limits", &self.0.core.limits)
            .finish_non_exhaustive()
    }
}
