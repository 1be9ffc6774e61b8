use super::chunk::Chunk;
use super::others::Others;
use super::thread_buffer::BufferState;
use crate::base::limits::Limits;
use crate::base::stats::{DropCause, DropCounts, ExportStats};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Memory in chunks that a pipeline has from its first item on and keeps, used or not, within its limit.
///
/// More than a core's own cache holds, usually: once a chunk's turn comes again, its lines have left the core of the worker,
/// which has read them, and that of the thread which wrote them. Lines that both have are slow to write to.
const IDLE_BYTES: usize = 1 << 20;

/// Time for which memory beyond [`IDLE_BYTES`] is kept after its last use, and at most as long again.
const TRIM_INTERVAL: Duration = Duration::from_secs(10);

/// Min time between a vain search for partly filled chunks and the next. A model must not depend on how fast it is explored.
const RECLAIM_INTERVAL: Duration = if cfg!(loom) {
    Duration::MAX
} else {
    Duration::from_millis(10)
};

/// The queue, the memory and the counts of a pipeline. Guarded by one lock, which is taken per chunk and per request.
#[derive(Debug, Default)]
pub(crate) struct State {
    queue: VecDeque<Chunk>,
    /// Used in turn: see [`IDLE_BYTES`].
    free: VecDeque<Chunk>,
    /// Bytes that chunks are charged for, wherever they are.
    charged: usize,
    /// Max bytes of chunks in use since free chunks were last trimmed.
    peak: usize,
    /// When free chunks are to be trimmed, if there may be too many.
    trim_at: Option<Instant>,
    /// Items handed over and not yet in a request: in `queue`, or in the chunks that a request is being cut from.
    queued_items: usize,
    /// Bytes of the items in `queue`.
    queued_bytes: usize,
    /// Items handed over since the start, and how many of them are finished: delivered, rejected or dropped, in order.
    pushed: u64,
    finished: u64,
    in_flight: u64,
    /// When the oldest item began to wait, at the earliest.
    waiting_since: Option<Instant>,
    /// Time of the last vain search for partly filled chunks.
    reclaim_failed_at: Option<Instant>,
    /// The count of finished items that a flush waits for, whatever the timer.
    pub(crate) flush_target: u64,
    pub(crate) shutdown_deadline: Option<Instant>,
    pub(crate) sleep: WorkerSleep,
    /// Number of threads that wait for the worker's progress.
    pub(crate) waiters: usize,
    pub(crate) worker: WorkerState,
    pub(crate) counts: ItemCounts,
    pub(crate) others: Others,
}

/// Counts of the items that left their threads.
#[derive(Debug, Default)]
pub(crate) struct ItemCounts {
    pub(crate) recorded: u64,
    pub(crate) delivered: u64,
    pub(crate) rejected: u64,
    pub(crate) dropped: DropCounts,
    pub(crate) requests: u64,
    pub(crate) attempts: u64,
    pub(crate) delivered_bytes: u64,
    /// Items that were rejected, or dropped after the hand-over.
    pub(crate) undelivered: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum WorkerState {
    #[default]
    NotStarted,
    Running,
    /// There is no worker thread: the thread that flushes does its work.
    Inline,
    /// It ended because the pipeline was shut down.
    Ended,
}

/// The ways in which the worker sleeps. A flush and a shutdown wake it from any sleep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum WorkerSleep {
    /// It is awake, or has been woken.
    #[default]
    Awake,
    /// It has nothing to do: items that fill a request wake it.
    Idle,
    /// It waits before it sends again: items do not wake it.
    Backoff,
}

/// The outcome of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The collector accepted the request, except for `rejected` items.
    Delivered {
        rejected: u64,
        bytes: u64,
    },
    Dropped(DropCause),
}

impl State {
    pub(crate) fn queued_items(&self) -> usize {
        self.queued_items
    }

    pub(crate) fn pushed(&self) -> u64 {
        self.pushed
    }

    pub(crate) fn finished(&self) -> u64 {
        self.finished
    }

    pub(crate) fn in_flight(&self) -> u64 {
        self.in_flight
    }

    pub(crate) fn needs_worker(&self) -> bool {
        self.worker == WorkerState::NotStarted
    }

    /// Moves the counts of a thread's buffer here.
    pub(crate) fn merge_counts(&mut self, buffer: &mut BufferState) {
        self.counts.recorded += std::mem::take(&mut buffer.recorded);
        self.counts
            .dropped
            .merge(&std::mem::take(&mut buffer.dropped));
    }

    /// Appends the chunk to the queue: its items to the last chunk there if they fit, itself otherwise.
    pub(crate) fn push(&mut self, chunk: &mut Chunk, limits: &Limits) {
        self.queued_items += chunk.items();
        self.queued_bytes += chunk.len();
        self.pushed += chunk.items() as u64;
        if chunk.items() == 0 {
            self.recycle(chunk, limits);
            return;
        }
        if let Some(last) = self.queue.back_mut()
            && last.len() + chunk.len() <= last.capacity()
            && last.items() + chunk.items() <= limits.chunk_items
        {
            last.append_from(chunk);
            self.recycle(chunk, limits);
        } else {
            self.queue.push_back(std::mem::take(chunk));
        }
    }

    /// Removes the oldest chunk from the queue. Its items stay counted as queued.
    pub(crate) fn pop(&mut self) -> Option<Chunk> {
        let chunk = self.queue.pop_front()?;
        self.queued_bytes -= chunk.len();
        Some(chunk)
    }

    /// Returns an empty chunk: a free one, or a fresh one if the memory limit allows.
    pub(crate) fn acquire_chunk(&mut self, limits: &Limits) -> Option<Chunk> {
        while self.charged < IDLE_BYTES && self.add_chunk(limits) {}
        if self.free.is_empty() {
            self.add_chunk(limits);
        }
        let chunk = self.free.pop_front();
        self.note_use(limits);
        chunk
    }

    /// Adds a fresh chunk to the free ones, if the memory limit allows.
    fn add_chunk(&mut self, limits: &Limits) -> bool {
        let allowed = self.charged + limits.chunk_bytes <= limits.chunks_bytes;
        if allowed {
            self.charged += limits.chunk_bytes;
            self.free.push_back(Chunk::new(limits));
        }
        allowed
    }

    /// Notes that more memory is in use.
    fn note_use(&mut self, limits: &Limits) {
        self.peak = self.peak.max(self.bytes_in_use(limits));
        if self.peak > IDLE_BYTES && self.trim_at.is_none() {
            self.trim_at = Some(Instant::now() + TRIM_INTERVAL);
        }
    }

    /// Returns the time to call [`trim`](Self::trim), if there is one.
    pub(crate) fn trim_at(&self) -> Option<Instant> {
        self.trim_at
    }

    /// Removes the free chunks beyond what was in use at once since the last time and half as much again, for the caller to
    /// drop without the lock. The memory after a burst is so kept for the next, but not for ever, and a load that varies a
    /// little frees nothing.
    pub(crate) fn trim(&mut self, now: Instant, limits: &Limits) -> VecDeque<Chunk> {
        let in_use = self.bytes_in_use(limits);
        let wanted = self.peak.saturating_add(self.peak / 2).max(IDLE_BYTES);
        let keep = wanted.saturating_sub(in_use) / limits.chunk_bytes;
        let excess = self.free.split_off(self.free.len().min(keep));
        self.charged -= excess.len() * limits.chunk_bytes;
        self.peak = in_use;
        self.trim_at = (self.charged > IDLE_BYTES).then(|| now + TRIM_INTERVAL);
        excess
    }

    /// Keeps the chunk's memory for reuse and leaves a vacant chunk.
    pub(crate) fn recycle(&mut self, chunk: &mut Chunk, limits: &Limits) {
        if chunk.is_vacant() {
            return;
        }
        let mut chunk = std::mem::take(chunk);
        chunk.reset(limits.chunk_bytes);
        if chunk.capacity() < limits.chunk_bytes {
            // An encoder took the buffer and left a smaller one.
            self.charged -= chunk.charged;
            return;
        }
        self.charged -= chunk.charged - limits.chunk_bytes;
        chunk.charged = limits.chunk_bytes;
        self.free.push_back(chunk);
    }

    /// Charges the chunk for the whole of its buffer, if the memory limit allows.
    pub(crate) fn charge(&mut self, chunk: &mut Chunk, limits: &Limits) -> bool {
        let more = chunk.capacity().saturating_sub(chunk.charged);
        while self.charged + more > limits.chunks_bytes {
            let Some(free) = self.free.pop_front() else {
                break;
            };
            self.charged -= free.charged;
        }
        if self.charged + more > limits.chunks_bytes {
            return false;
        }
        self.charged += more;
        chunk.charged += more;
        self.note_use(limits);
        true
    }

    /// Returns the bytes of the chunks that are not free.
    pub(crate) fn bytes_in_use(&self, limits: &Limits) -> usize {
        self.charged - self.free.len() * limits.chunk_bytes
    }

    /// Returns `true` unless a search for partly filled chunks failed a moment ago.
    pub(crate) fn may_reclaim(&self) -> bool {
        self.reclaim_failed_at
            .is_none_or(|last| last.elapsed() >= RECLAIM_INTERVAL)
    }

    /// Notes the outcome of a search for partly filled chunks.
    pub(crate) fn note_reclaim(&mut self, found: bool) {
        self.reclaim_failed_at = (!found).then(Instant::now);
    }

    /// Starts the timer if it is not running; returns `true` if it was not.
    pub(crate) fn start_timer(&mut self) -> bool {
        let first = self.waiting_since.is_none();
        if first {
            self.waiting_since = Some(Instant::now());
        }
        first
    }

    /// Stops the timer until the next chunk is acquired: the items that wait are about to be collected.
    pub(crate) fn stop_timer(&mut self) {
        self.waiting_since = None;
    }

    /// Returns the time at which the items that wait must be sent.
    pub(crate) fn due(&self, limits: &Limits) -> Option<Instant> {
        self.waiting_since
            .map(|since| since + limits.schedule_delay)
    }

    /// Returns `true` if the queue fills a request.
    pub(crate) fn has_batch(&self, limits: &Limits) -> bool {
        self.queued_items >= limits.request_items || self.queued_bytes >= limits.batch_bytes
    }

    /// Returns `true` if the queued items are worth waking the worker.
    pub(crate) fn should_wake_worker(&self, limits: &Limits) -> bool {
        self.sleep == WorkerSleep::Idle && self.has_batch(limits)
    }

    /// Moves items from the queue to a request.
    pub(crate) fn start_request(&mut self, items: u64) {
        self.queued_items -= items as usize;
        self.in_flight += items;
    }

    /// Counts the outcome of a request of `items` items.
    pub(crate) fn finish_request(&mut self, items: u64, outcome: Outcome) {
        self.in_flight -= items;
        self.finished += items;
        self.counts.requests += 1;
        match outcome {
            Outcome::Delivered { rejected, bytes } => {
                let rejected = rejected.min(items);
                self.counts.delivered += items - rejected;
                self.counts.rejected += rejected;
                self.counts.undelivered += rejected;
                self.counts.delivered_bytes += bytes;
            }
            Outcome::Dropped(cause) => {
                self.counts.undelivered += items;
                self.counts.dropped.add(cause, items);
            }
        }
    }

    /// Drops items that are queued, without a request.
    pub(crate) fn discard(&mut self, items: u64, cause: DropCause) {
        self.queued_items -= items as usize;
        self.finished += items;
        self.counts.undelivered += items;
        self.counts.dropped.add(cause, items);
    }

    /// Drops all items in the queue.
    pub(crate) fn discard_queue(&mut self, cause: DropCause, limits: &Limits) {
        while let Some(mut chunk) = self.pop() {
            self.discard(chunk.items() as u64, cause);
            self.recycle(&mut chunk, limits);
        }
    }

    /// Returns the statistics without the items that threads hold.
    pub(crate) fn stats(&self, limits: &Limits) -> ExportStats {
        ExportStats {
            recorded: self.counts.recorded,
            delivered: self.counts.delivered,
            rejected: self.counts.rejected,
            dropped: self.counts.dropped,
            queued: self.queued_items as u64,
            in_flight: self.in_flight,
            queue_capacity: limits.max_queue_items().map(|items| items as u64),
            requests: self.counts.requests,
            attempts: self.counts.attempts,
            delivered_bytes: self.counts.delivered_bytes,
            chunk_bytes: self.charged as u64,
            chunk_bytes_in_use: self.bytes_in_use(limits) as u64,
            max_chunk_bytes: limits.chunks_bytes as u64,
            ..ExportStats::default()
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
