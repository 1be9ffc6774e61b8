//! The worker of a pipeline without a worker thread.

use super::export::export;
use crate::base::error::DeliveryError;
use crate::base::stats::DropCause;
use crate::batch::Batch;
use crate::delivery::{Delivery, DeliveryContext, earliest};
use crate::queue::chunk::Chunk;
use crate::queue::inner::PipelineInner;
use crate::queue::state::WorkerState;
use std::collections::VecDeque;
use std::time::Instant;
use zerospan_core::log;
use zerospan_core::sync::{self, Condvar, Mutex};

/// Sends requests on the threads that flush, one thread at a time.
pub(crate) struct InlineWorker {
    /// `None` while a thread sends: no lock is held while the transport or a subscriber runs.
    parts: Mutex<Option<Parts>>,
    returned: Condvar,
}

#[derive(Default)]
struct Parts {
    batch: Batch,
    delivery: Delivery,
}

impl InlineWorker {
    /// Sends what is queued until `target` items are finished or `deadline` passes. Waits for another thread that sends.
    pub(crate) fn run(&self, inner: &PipelineInner, target: u64, deadline: Instant) {
        let _suppressed = log::suppress_here();
        let Some(mut lease) = self.acquire(inner, deadline) else {
            return;
        };
        let context = FlushContext { inner, deadline };
        let parts = &mut lease.parts;
        while inner.state().finished() < target && Instant::now() < context.end() {
            export(inner, &context, &mut parts.batch, &mut parts.delivery);
        }
        drop(trim(inner, Instant::now()));
        drop(inner.trim_others(inner.state()));
    }

    /// Drops the remaining items and the transport: the pipeline is shut down. Waits for another thread that sends.
    pub(crate) fn stop(&self, inner: &PipelineInner, deadline: Instant) {
        let lease = self.acquire(inner, deadline);
        let mut state = inner.state();
        state.discard_queue(DropCause::ShutdownTimeout, &inner.limits);
        state.worker = WorkerState::Ended;
        inner.publish_levels(&state);
        drop(state);
        drop(lease);
    }

    /// Takes the parts, once the thread that has them returns them; `None` if it does not by `deadline`.
    fn acquire<'a>(&'a self, inner: &'a PipelineInner, deadline: Instant) -> Option<Lease<'a>> {
        let mut parts = sync::lock(&self.parts);
        loop {
            if let Some(parts) = parts.take() {
                return Some(Lease {
                    worker: self,
                    inner,
                    parts,
                });
            }
            if deadline <= Instant::now() {
                return None;
            }
            parts = sync::wait(&self.returned, &self.parts, parts, Some(deadline));
        }
    }
}

impl Default for InlineWorker {
    fn default() -> Self {
        Self {
            parts: Mutex::new(Some(Parts::default())),
            returned: Condvar::new(),
        }
    }
}

/// Returns memory that has long been idle, to be freed without the lock.
fn trim(inner: &PipelineInner, now: Instant) -> VecDeque<Chunk> {
    let mut state = inner.state();
    match state.trim_at() {
        Some(time) if time <= now => state.trim(now, &inner.limits),
        _ => VecDeque::new(),
    }
}

/// The parts of an [`InlineWorker`], returned when dropped.
struct Lease<'a> {
    worker: &'a InlineWorker,
    inner: &'a PipelineInner,
    parts: Parts,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let mut parts = std::mem::take(&mut self.parts);
        let ended = self.inner.state().worker == WorkerState::Ended;
        if ended {
            parts
                .batch
                .discard_rest(self.inner, DropCause::ShutdownTimeout);
            parts.delivery = Delivery::default();
            self.inner.publish_levels(&self.inner.state());
        }
        *sync::lock(&self.worker.parts) = Some(parts);
        self.worker.returned.notify_one();
    }
}

/// A delivery within one flush: it ends with the flush, and with a shutdown by another thread.
struct FlushContext<'a> {
    inner: &'a PipelineInner,
    deadline: Instant,
}

impl FlushContext<'_> {
    fn end(&self) -> Instant {
        earliest(self.deadline, self.inner.state().shutdown_deadline)
    }
}

impl DeliveryContext for FlushContext<'_> {
    fn deadline(&self) -> Option<Instant> {
        Some(self.end())
    }

    fn wait_until(&self, time: Instant) {
        self.inner.wait_until(time);
    }

    fn count_attempt(&self) {
        self.inner.count_attempt();
    }

    fn note_failure(&self, failure: DeliveryError) {
        self.inner.note_failure(failure);
    }
}
