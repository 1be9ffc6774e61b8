//! Moves chunks between threads, queue and free memory.

use super::PipelineInner;
use crate::base::stats::DropCause;
use crate::queue::chunk::Chunk;
use crate::queue::state::{WorkerSleep, WorkerState};
use crate::queue::thread_buffer::{BufferState, ThreadBuffer};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use zerospan_core::sync::{self, TRY_LOCK_ATTEMPTS};

impl PipelineInner {
    /// Moves the buffer's chunk to the queue, and its counts to those of the pipeline.
    pub(crate) fn hand_over(&self, buffer: &mut BufferState) -> Result<(), DropCause> {
        self.hand_over_within(buffer, self.limits.queue_items)
    }

    /// Hands over all that `buffer` holds, whether it is registered or not.
    pub(crate) fn drain(&self, buffer: &ThreadBuffer) {
        // The queue's limit does not apply, as in `collect`: the memory is accounted for already.
        let _ = self.hand_over_within(&mut buffer.lock(), usize::MAX);
    }

    /// Hands over to a queue of at most `max_queued` items.
    fn hand_over_within(
        &self,
        buffer: &mut BufferState,
        max_queued: usize,
    ) -> Result<(), DropCause> {
        let items = buffer.chunk.items();
        let fits = |queued: usize| queued + items <= max_queued;
        if !fits(self.queued_items.load(Ordering::Relaxed)) {
            return Err(DropCause::QueueFull);
        }
        let mut state = self.state();
        if state.worker == WorkerState::Ended {
            // Recorded while the thread was ending, or within another record, after the last `collect`.
            state.merge_counts(buffer);
            state
                .counts
                .dropped
                .add(DropCause::AfterShutdown, items as u64);
            state.recycle(&mut buffer.chunk, &self.limits);
            return Ok(());
        }
        if !fits(state.queued_items()) {
            return Err(DropCause::QueueFull);
        }
        state.merge_counts(buffer);
        state.push(&mut buffer.chunk, &self.limits);
        self.publish_levels(&state);
        if state.should_wake_worker(&self.limits) {
            self.wake_worker(state);
        }
        Ok(())
    }

    /// Returns an empty chunk, within the memory limit. Starts the worker.
    pub(crate) fn acquire_chunk(self: &Arc<Self>) -> Result<Chunk, DropCause> {
        let mut state = self.state();
        let mut chunk = state.acquire_chunk(&self.limits);
        while chunk.is_none() && state.may_reclaim() {
            drop(state);
            let found = self.reclaim_chunks();
            state = self.state();
            chunk = state.acquire_chunk(&self.limits);
            state.note_reclaim(found);
        }
        self.start_worker(&mut state);
        self.publish_levels(&state);
        if state.start_timer() && state.sleep == WorkerSleep::Idle {
            // It must learn when the item is due.
            self.wake_worker(state);
        }
        chunk.ok_or(DropCause::QueueFull)
    }

    /// Hands over the partly filled chunks of other threads, so that many threads fit in little memory; returns `false` if
    /// there are none.
    ///
    /// Called with a thread's buffer locked. Only tries the locks: blocking here would invert the lock order.
    #[cold]
    fn reclaim_chunks(&self) -> bool {
        let Some(registry) = (0..TRY_LOCK_ATTEMPTS).find_map(|_| {
            sync::try_lock(&self.registry).or_else(|| {
                sync::yield_now();
                None
            })
        }) else {
            return false;
        };
        let mut found = false;
        for buffer in registry.iter() {
            if let Some(mut buffer) = buffer.try_lock()
                && !buffer.chunk.is_vacant()
            {
                if self.hand_over(&mut buffer).is_err() {
                    break;
                }
                found = true;
            }
        }
        found
    }

    /// Charges the chunk for the growth of its buffer, if the memory limit allows.
    pub(crate) fn charge_growth(&self, chunk: &mut Chunk) -> Result<(), DropCause> {
        if chunk.capacity() <= chunk.charged {
            return Ok(());
        }
        let mut state = self.state();
        let charged = state.charge(chunk, &self.limits);
        self.publish_levels(&state);
        charged.then_some(()).ok_or(DropCause::QueueFull)
    }

    /// Moves the chunks of all threads to the queue, beyond its limit if need be: their memory is accounted for already.
    ///
    /// Returns the number of items handed over since the start. Once as many are finished, so are all recorded before.
    pub(crate) fn collect(&self) -> u64 {
        let registry = self.registry();
        for buffer in registry.iter() {
            let mut buffer = buffer.lock();
            if !buffer.chunk.is_vacant() {
                let mut state = self.state();
                state.merge_counts(&mut buffer);
                state.push(&mut buffer.chunk, &self.limits);
            }
        }
        drop(registry);
        let state = self.state();
        self.publish_levels(&state);
        state.pushed()
    }
}
