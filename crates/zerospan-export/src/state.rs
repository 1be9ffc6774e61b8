use crate::chunk::Chunk;
use crate::limits::Limits;
use crate::slot::Open;
use crate::{DropCause, Dropped, ExportStats};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How long to wait after half-empty chunks were looked for in vain: a model does not hang on how fast it is explored.
const RELIEF_PAUSE: Duration = if cfg!(loom) {
    Duration::MAX
} else {
    Duration::from_millis(10)
};

/// The queue, the memory and the ledger of a pipeline: behind one lock, which is taken per chunk and per request.
#[derive(Debug, Default)]
pub(crate) struct State {
    queue: VecDeque<Chunk>,
    free: Vec<Chunk>,
    /// Bytes that chunks are charged for, wherever they are.
    charged: usize,
    /// Spans handed over and not yet in a request: those in `queue`, and those that the worker is cutting a request from.
    queued_spans: usize,
    /// Bytes of the spans in `queue`.
    queued_bytes: usize,
    /// Spans ever handed over, and how many of them were settled, in the same order.
    pushed: u64,
    settled: u64,
    in_flight: u64,
    /// Since when the eldest span may be waiting.
    waiting_since: Option<Instant>,
    /// When half-empty chunks were looked for in vain.
    no_relief_at: Option<Instant>,
    /// How far a flush wants the queue settled, whatever the timer says.
    pub(crate) flush_to: u64,
    pub(crate) shutdown: Option<Instant>,
    /// How the worker rests, unless somebody has woken it.
    pub(crate) rest: Rest,
    /// How many wait until the worker says something.
    pub(crate) waiting_for_worker: usize,
    pub(crate) worker: Worker,
    pub(crate) ledger: Ledger,
}

/// What is known of spans that left their threads.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) recorded: u64,
    pub(crate) delivered: u64,
    pub(crate) rejected: u64,
    pub(crate) dropped: Dropped,
    pub(crate) requests: u64,
    pub(crate) attempts: u64,
    pub(crate) delivered_bytes: u64,
    /// Spans that were handed over and did not arrive.
    pub(crate) undelivered: u64,
}

/// Whether there is a worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Worker {
    #[default]
    NotStarted,
    Running,
    /// There is none: whoever flushes does its work.
    ByHand,
    /// It ended because the pipeline was shut down.
    Ended,
}

/// What the worker sleeps through. A flush and a shutdown wake it from any rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Rest {
    /// Nothing: it is at work, or woken.
    #[default]
    None,
    /// It has nothing to do: spans that fill a request wake it.
    Idle,
    /// It has just sent a request, and looks for the next in a moment by itself: only a queue that is half full wakes it.
    Doze,
    /// It waits for the collector: spans do not wake it.
    Pause,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The collector has it, but for so many spans that it rejects.
    Delivered {
        rejected: u64,
        bytes: u64,
    },
    Dropped(DropCause),
}

impl State {
    pub(crate) fn queued_spans(&self) -> usize {
        self.queued_spans
    }

    pub(crate) fn pushed(&self) -> u64 {
        self.pushed
    }

    pub(crate) fn settled(&self) -> u64 {
        self.settled
    }

    pub(crate) fn in_flight(&self) -> u64 {
        self.in_flight
    }

    pub(crate) fn wants_worker(&self) -> bool {
        self.worker == Worker::NotStarted
    }

    /// Takes the counts of a slot over.
    pub(crate) fn fold(&mut self, open: &mut Open) {
        self.ledger.recorded += std::mem::take(&mut open.recorded);
        self.ledger
            .dropped
            .absorb(&std::mem::take(&mut open.dropped));
    }

    /// Puts the chunk at the end of the queue, or its content into the chunk that is there, if it fits.
    pub(crate) fn push(&mut self, chunk: &mut Chunk, limits: &Limits) {
        self.queued_spans += chunk.spans();
        self.queued_bytes += chunk.len();
        self.pushed += chunk.spans() as u64;
        if chunk.spans() == 0 {
            self.recycle(chunk, limits);
            return;
        }
        if let Some(last) = self.queue.back_mut()
            && last.len() + chunk.len() <= last.capacity()
            && last.spans() + chunk.spans() <= limits.chunk_spans
        {
            last.absorb(chunk);
            self.recycle(chunk, limits);
        } else {
            self.queue.push_back(std::mem::take(chunk));
        }
    }

    /// Takes the eldest chunk out for the worker, with its spans still counted as queued.
    pub(crate) fn pop(&mut self) -> Option<Chunk> {
        let chunk = self.queue.pop_front()?;
        self.queued_bytes -= chunk.len();
        Some(chunk)
    }

    /// A chunk's memory: from those that are free, or fresh if the bound allows.
    pub(crate) fn acquire(&mut self, limits: &Limits) -> Option<Chunk> {
        if let Some(chunk) = self.free.pop() {
            return Some(chunk);
        }
        if self.charged + limits.chunk_bytes > limits.chunks_bytes {
            return None;
        }
        self.charged += limits.chunk_bytes;
        Some(Chunk::new(limits))
    }

    /// Keeps the chunk's memory for the next, and leaves a vacant chunk.
    pub(crate) fn recycle(&mut self, chunk: &mut Chunk, limits: &Limits) {
        if chunk.is_vacant() {
            return;
        }
        let mut chunk = std::mem::take(chunk);
        chunk.reset(limits.chunk_bytes);
        self.charged -= chunk.charged - limits.chunk_bytes;
        chunk.charged = limits.chunk_bytes;
        self.free.push(chunk);
    }

    /// Charges for all that the chunk's buffer has, if the bound allows.
    pub(crate) fn charge(&mut self, chunk: &mut Chunk, limits: &Limits) -> bool {
        let more = chunk.capacity().saturating_sub(chunk.charged);
        // Memory that nobody uses makes way.
        while self.charged + more > limits.chunks_bytes {
            let Some(free) = self.free.pop() else { break };
            self.charged -= free.charged;
        }
        if self.charged + more > limits.chunks_bytes {
            return false;
        }
        self.charged += more;
        chunk.charged += more;
        true
    }

    /// Bytes of the chunks that are not free.
    pub(crate) fn bytes_in_use(&self, limits: &Limits) -> usize {
        self.charged - self.free.len() * limits.chunk_bytes
    }

    /// Whether it is worth while to look for half-empty chunks: not so soon after there were none.
    pub(crate) fn may_relieve(&self) -> bool {
        self.no_relief_at
            .is_none_or(|last| last.elapsed() >= RELIEF_PAUSE)
    }

    /// Notes whether there were half-empty chunks.
    pub(crate) fn was_relieved(&mut self, relieved: bool) {
        self.no_relief_at = (!relieved).then(Instant::now);
    }

    /// Notes that a span waits from here on, if none did; `true` if so.
    pub(crate) fn mark_waiting(&mut self) -> bool {
        let first = self.waiting_since.is_none();
        if first {
            self.waiting_since = Some(Instant::now());
        }
        first
    }

    /// When the spans that wait are due.
    pub(crate) fn due(&self, limits: &Limits) -> Option<Instant> {
        self.waiting_since
            .map(|since| since + limits.schedule_delay)
    }

    /// The timer went off: whatever waits is swept next, and what comes after waits anew.
    pub(crate) fn restart_timer(&mut self) {
        self.waiting_since = None;
    }

    /// Whether the queue fills a request.
    pub(crate) fn has_batch(&self, limits: &Limits) -> bool {
        self.queued_spans >= limits.batch_spans || self.queued_bytes >= limits.request_bytes
    }

    /// Whether the spans that are queued are worth waking the worker for.
    pub(crate) fn rouses_worker(&self, limits: &Limits) -> bool {
        match self.rest {
            Rest::Idle => self.has_batch(limits),
            Rest::Doze => self.has_batch(limits) && self.is_half_full(limits),
            Rest::None | Rest::Pause => false,
        }
    }

    /// Whether half of the queue or half of the memory is taken.
    fn is_half_full(&self, limits: &Limits) -> bool {
        self.queued_spans >= limits.queue_spans / 2
            || self.bytes_in_use(limits) >= limits.chunks_bytes / 2
    }

    /// Spans go from the queue into a request.
    pub(crate) fn take_off(&mut self, spans: u64) {
        self.queued_spans -= spans as usize;
        self.in_flight += spans;
    }

    /// The request with `spans` spans is done with.
    pub(crate) fn settle(&mut self, spans: u64, outcome: Outcome) {
        self.in_flight -= spans;
        self.settled += spans;
        self.ledger.requests += 1;
        match outcome {
            Outcome::Delivered { rejected, bytes } => {
                let rejected = rejected.min(spans);
                self.ledger.delivered += spans - rejected;
                self.ledger.rejected += rejected;
                self.ledger.undelivered += rejected;
                self.ledger.delivered_bytes += bytes;
            }
            Outcome::Dropped(cause) => {
                self.ledger.undelivered += spans;
                self.ledger.dropped.count(cause, spans);
            }
        }
    }

    /// Spans leave the queue without a request.
    pub(crate) fn discard(&mut self, spans: u64, cause: DropCause) {
        self.queued_spans -= spans as usize;
        self.settled += spans;
        self.ledger.undelivered += spans;
        self.ledger.dropped.count(cause, spans);
    }

    /// Drops all that is in the queue.
    pub(crate) fn discard_queue(&mut self, cause: DropCause, limits: &Limits) {
        while let Some(mut chunk) = self.pop() {
            self.discard(chunk.spans() as u64, cause);
            self.recycle(&mut chunk, limits);
        }
    }

    /// All but what the threads hold.
    pub(crate) fn stats(&self, limits: &Limits) -> ExportStats {
        ExportStats {
            recorded: self.ledger.recorded,
            delivered: self.ledger.delivered,
            rejected: self.ledger.rejected,
            dropped: self.ledger.dropped,
            queued: self.queued_spans as u64,
            in_flight: self.in_flight,
            queue_capacity: limits.queue_spans as u64,
            requests: self.ledger.requests,
            attempts: self.ledger.attempts,
            delivered_bytes: self.ledger.delivered_bytes,
            chunk_bytes: self.charged as u64,
            ..ExportStats::default()
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const CHUNK: usize = 1024;

    fn limits(queue_spans: usize, batch_spans: usize) -> Limits {
        Limits {
            chunk_bytes: CHUNK,
            chunk_full_at: CHUNK,
            chunk_spans: queue_spans,
            chunks_bytes: 8 * CHUNK,
            queue_spans,
            batch_spans,
            request_bytes: 1 << 20,
            span_bytes: CHUNK,
            schedule_delay: Duration::from_secs(3600),
            timeout: Duration::from_secs(3600),
            drop_timeout: Duration::ZERO,
        }
    }

    /// Whether `queued_spans` rouse a worker that rests so.
    fn rouse(rest: Rest, queued_spans: usize, limits: &Limits) -> bool {
        let state = State {
            rest,
            queued_spans,
            ..State::default()
        };
        state.rouses_worker(limits)
    }

    #[test]
    fn spans_rouse_an_idle_worker_by_a_batch_and_a_dozing_one_by_half_a_queue() {
        let limits = limits(2048, 512);
        for (queued, idle, dozing) in [
            (511, false, false),
            (512, true, false),
            (1023, true, false),
            (1024, true, true),
        ] {
            assert_eq!(rouse(Rest::Idle, queued, &limits), idle, "{queued}");
            assert_eq!(rouse(Rest::Doze, queued, &limits), dozing, "{queued}");
            assert!(!rouse(Rest::Pause, queued, &limits));
            assert!(!rouse(Rest::None, queued, &limits));
        }
    }

    #[test]
    fn half_a_queue_that_fills_no_request_rouses_nobody() {
        let limits = limits(512, 512);
        assert!(!rouse(Rest::Doze, 256, &limits));
        assert!(rouse(Rest::Doze, 512, &limits));
    }

    #[test]
    fn half_of_the_memory_rouses_a_dozing_worker_that_has_a_batch() {
        let limits = limits(2048, 512);
        let mut state = State {
            rest: Rest::Doze,
            queued_spans: 512,
            ..State::default()
        };
        let taken: Vec<_> = (0..4).map_while(|_| state.acquire(&limits)).collect();
        assert_eq!(taken.len(), 4);
        assert!(state.rouses_worker(&limits));
        for mut chunk in taken {
            state.recycle(&mut chunk, &limits);
        }
        assert!(!state.rouses_worker(&limits));
    }
}
