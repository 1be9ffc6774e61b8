use crate::base::error::DeliveryError;
use crate::base::stats::DropCause;
use crate::batch::Batch;
use crate::delivery::{Delivery, DeliveryContext};
use crate::queue::inner::PipelineInner;
use crate::queue::state::{Outcome, WorkerSleep};
use std::time::Instant;

/// Sends the next request, if the queue has items and the deadline of `context` has not passed.
pub(super) fn export(
    inner: &PipelineInner,
    context: &impl DeliveryContext,
    batch: &mut Batch,
    delivery: &mut Delivery,
) {
    delivery.wait_for_permission(context);
    if context.deadline().is_some_and(|end| end <= Instant::now()) {
        return;
    }
    batch.fill(inner, inner.config.resource());
    let items = batch.items();
    {
        let mut state = inner.state();
        state.start_request(items as u64);
        inner.publish_levels(&state);
    }
    if items > 0 {
        let mut in_flight = InFlight {
            inner,
            items: items as u64,
            outcome: Outcome::Dropped(DropCause::TransportPanic),
        };
        let timeout = inner.limits.timeout;
        in_flight.outcome = delivery.deliver(&inner.config, context, batch.body(), items, timeout);
        batch.release(inner);
        if matches!(in_flight.outcome, Outcome::Delivered { .. }) {
            inner.reset_warnings();
        }
    }
    inner.notify_progress();
}

/// Counts the outcome of a request, also if its delivery panics.
struct InFlight<'a> {
    inner: &'a PipelineInner,
    items: u64,
    outcome: Outcome,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.inner.state().finish_request(self.items, self.outcome);
    }
}

/// A delivery by the worker thread: it ends with the shutdown.
impl DeliveryContext for PipelineInner {
    fn deadline(&self) -> Option<Instant> {
        self.state().shutdown_deadline
    }

    fn wait_until(&self, time: Instant) {
        drop(self.sleep(self.state(), WorkerSleep::Backoff, Some(time)));
    }

    fn count_attempt(&self) {
        self.state().counts.attempts += 1;
    }

    fn note_failure(&self, failure: DeliveryError) {
        Self::note_failure(self, failure);
    }
}
