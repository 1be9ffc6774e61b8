use crate::base::error::{FlushError, ShutdownError};
use crate::base::limits::MAX_TIMEOUT;
use crate::base::stats::DropCause;
use crate::queue::inner::PipelineInner;
use crate::queue::state::WorkerState;
use crate::worker::inline::InlineWorker;
use crate::worker::thread;
use std::sync::Arc;
use std::time::{Duration, Instant};
use zerospan_core::fork::PerProcess;
use zerospan_core::log::{self, LogLimit};

/// The shared part of a pipeline's handles. Shuts the pipeline down when the last of them is dropped.
pub(super) struct Handle {
    /// The state in the process that built the pipeline.
    pub(super) origin: Arc<PipelineInner>,
    /// Used in a pipeline without a worker thread.
    inline: PerProcess<InlineWorker>,
}

impl Handle {
    pub(super) fn new(inner: PipelineInner) -> Self {
        Self {
            origin: Arc::new(inner),
            inline: PerProcess::default(),
        }
    }

    /// Returns the state of this process.
    #[inline]
    pub(super) fn inner(&self) -> &Arc<PipelineInner> {
        self.origin.current()
    }

    pub(super) fn flush(&self, timeout: Duration) -> Result<(), FlushError> {
        let inner = self.inner();
        if inner.is_closed() {
            return Err(FlushError::ShutDown);
        }
        let signal = inner.config.signal;
        let start = Instant::now();
        let deadline = start + timeout.min(MAX_TIMEOUT);
        let lost_before = inner.state().counts.undelivered;
        let target = inner.collect();
        if inner.config.inline {
            self.inline.current().run(inner, target, deadline);
        }
        let mut state = inner.state();
        state.flush_target = state.flush_target.max(target);
        inner.wake_worker(state);
        let mut state = inner.state();
        while state.finished() < target {
            inner.start_worker(&mut state);
            if state.needs_worker() || deadline <= Instant::now() {
                let pending = target - state.finished();
                drop(state);
                inner.warn_without_worker();
                return Err(FlushError::TimedOut {
                    signal,
                    pending,
                    cause: inner.failure_since(start),
                });
            }
            if state.worker == WorkerState::Ended {
                return Err(FlushError::ShutDown);
            }
            state = inner.wait_for_progress(state, deadline);
        }
        match state.counts.undelivered - lost_before {
            0 => Ok(()),
            lost => Err(FlushError::Lost {
                signal,
                lost,
                cause: inner.failure_since(start),
            }),
        }
    }

    pub(super) fn shut_down(&self, timeout: Duration) -> Result<(), ShutdownError> {
        let inner = self.inner();
        if !inner.close() {
            return Err(ShutdownError::AlreadyShutDown);
        }
        let start = Instant::now();
        let deadline = start + timeout.min(MAX_TIMEOUT);
        let lost_before = inner.state().counts.undelivered;
        let target = inner.collect();
        if inner.config.inline {
            // Another thread's flush ends with this shutdown.
            let mut state = inner.state();
            state.shutdown_deadline = Some(deadline);
            inner.wake_worker(state);
            let inline = self.inline.current();
            inline.run(inner, target, deadline);
            inline.stop(inner, deadline);
        }
        let mut state = inner.state();
        state.shutdown_deadline = Some(deadline);
        if state.needs_worker() {
            if state.queued_items() > 0 {
                inner.start_worker(&mut state);
            }
            if state.needs_worker() {
                // Nothing is queued, or the system refuses a thread.
                state.discard_queue(DropCause::ShutdownTimeout, &inner.limits);
                state.worker = WorkerState::Ended;
            }
        }
        inner.wake_worker(state);
        let mut state = inner.state();
        while state.worker == WorkerState::Running && Instant::now() < deadline {
            state = inner.wait_for_progress(state, deadline);
        }
        if state.worker == WorkerState::Running {
            state.discard_queue(DropCause::ShutdownTimeout, &inner.limits);
            inner.publish_levels(&state);
        }
        // The worker still has the request that it is sending, and the rest of the chunks that it was cut from.
        let in_flight = state.in_flight() + state.queued_items() as u64;
        match (state.counts.undelivered - lost_before, in_flight) {
            (0, 0) => Ok(()),
            (lost, in_flight) => Err(ShutdownError::Lost {
                signal: inner.config.signal,
                lost,
                in_flight,
                cause: inner.failure_since(start),
            }),
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // A forked child that has not used the pipeline has nothing to flush.
        let Some(inner) = self.origin.current_if_used() else {
            return;
        };
        if thread::is_worker_of(inner) {
            // A transport held the last handle: its worker cannot wait for itself, and sends the rest before it ends.
            if inner.close() {
                inner.collect();
                inner.state().shutdown_deadline = Some(Instant::now() + inner.limits.drop_timeout);
            }
            return;
        }
        if let Err(ShutdownError::Lost {
            signal,
            lost,
            in_flight,
            cause,
        }) = self.shut_down(inner.limits.drop_timeout)
        {
            let items = signal.items();
            static WARNING: LogLimit = LogLimit::new();
            WARNING.log(move |skipped| {
                tracing::warn!(
                    name: "PipelineDropped",
                    skipped,
                    lost,
                    in_flight,
                    cause = cause.as_deref().map(tracing::field::display),
                    "a pipeline was dropped without a shutdown before all of its {items} were delivered"
                );
            });
            log::settle();
        }
    }
}
