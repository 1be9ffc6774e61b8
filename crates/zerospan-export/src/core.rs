use crate::chunk::Chunk;
use crate::limits::Limits;
use crate::slot::{Open, Slot};
use crate::state::{Rest, State, Worker};
use crate::worker::{self, Hand};
use crate::{Connect, DropCause, ExportStats, RetryPolicy};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use zerospan_core::fork;
use zerospan_core::sync::{self, AtomicBool, AtomicUsize, Condvar, Mutex, MutexGuard};

/// What all handles of a pipeline, all threads and the worker share, in one process.
///
/// Locks are taken in this order: registry, slot, state.
pub(crate) struct Core {
    /// Unlike that of any other core that this process has or had.
    pub(crate) id: u64,
    /// The fork generation that this core belongs to.
    generation: u64,
    pub(crate) limits: Limits,
    pub(crate) setup: Arc<Setup>,
    closed: AtomicBool,
    /// What `State` says about queue and memory, for those who only want to know how full they are.
    queued_spans: AtomicUsize,
    bytes_in_use: AtomicUsize,
    /// Whether it was said that spans are being dropped, in this outage.
    complained: AtomicBool,
    registry: Mutex<Vec<Arc<Slot>>>,
    state: Mutex<State>,
    /// The worker waits here.
    work: Condvar,
    /// Those who wait for the worker wait here.
    done: Condvar,
    /// What a flush works with, in a pipeline without a worker.
    pub(crate) by_hand: Option<Mutex<Hand>>,
    /// The core of the forked child.
    next: OnceLock<Arc<Self>>,
}

/// What a forked child shares with its parent.
pub(crate) struct Setup {
    pub(crate) connect: Box<dyn Connect>,
    pub(crate) retry: RetryPolicy,
    /// Whether requests are sent by whoever flushes.
    pub(crate) by_hand: bool,
    /// What stands in for the resource as long as there is none.
    pub(crate) no_resource: zerospan_otlp::EncodedResource,
    pub(crate) resource: OnceLock<zerospan_otlp::EncodedResource>,
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

impl Core {
    pub(crate) fn new(limits: Limits, setup: Arc<Setup>) -> Self {
        let mut state = State::default();
        if setup.by_hand {
            state.worker = Worker::ByHand;
        }
        Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            generation: fork::generation(),
            limits,
            closed: AtomicBool::new(false),
            queued_spans: AtomicUsize::new(0),
            bytes_in_use: AtomicUsize::new(0),
            complained: AtomicBool::new(false),
            registry: Mutex::default(),
            state: Mutex::new(state),
            work: Condvar::new(),
            done: Condvar::new(),
            by_hand: setup.by_hand.then(Mutex::default),
            setup,
            next: OnceLock::new(),
        }
    }

    /// This core, or in a forked child the one that takes its place: clean, with a worker of its own.
    #[inline]
    pub(crate) fn of_this_process(self: &Arc<Self>) -> &Arc<Self> {
        if self.is_of_this_process() {
            self
        } else {
            self.of_the_child()
        }
    }

    /// Whether this is the process that the core was made in.
    #[inline]
    pub(crate) fn is_of_this_process(&self) -> bool {
        self.generation == fork::generation()
    }

    #[cold]
    fn of_the_child(self: &Arc<Self>) -> &Arc<Self> {
        let mut core = self;
        while core.generation != fork::generation() {
            core = core.next.get_or_init(|| {
                let child = Self::new(self.limits, Arc::clone(&self.setup));
                child
                    .closed
                    .store(core.closed.load(Ordering::Relaxed), Ordering::Relaxed);
                Arc::new(child)
            });
        }
        core
    }

    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Closes the pipeline; `false` if it was closed before.
    pub(crate) fn close(&self) -> bool {
        !self.closed.swap(true, Ordering::AcqRel)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        sync::lock(&self.state)
    }

    fn registry(&self) -> MutexGuard<'_, Vec<Arc<Slot>>> {
        sync::lock(&self.registry)
    }

    /// A slot for this thread.
    pub(crate) fn register(&self) -> Arc<Slot> {
        let slot = Arc::new(Slot::default());
        self.registry().push(Arc::clone(&slot));
        slot
    }

    /// The thread of `slot` ends: hands over what it holds.
    pub(crate) fn deregister(&self, slot: &Arc<Slot>) {
        let mut registry = self.registry();
        if let Some(index) = registry.iter().position(|other| Arc::ptr_eq(slot, other)) {
            registry.swap_remove(index);
        }
        self.retire(slot);
    }

    /// Hands over what `slot` holds and forgets, whether it is registered or not.
    pub(crate) fn retire(&self, slot: &Slot) {
        // Whatever the queue's bound, as in a sweep: the memory is accounted for already.
        let _ = self.hand_over_within(&mut slot.lock(), usize::MAX);
    }

    /// Moves the slot's chunk into the queue, and its counts into the ledger.
    pub(crate) fn hand_over(&self, open: &mut Open) -> Result<(), DropCause> {
        self.hand_over_within(open, self.limits.queue_spans)
    }

    /// Likewise, into a queue of at most `bound` spans.
    fn hand_over_within(&self, open: &mut Open, bound: usize) -> Result<(), DropCause> {
        let spans = open.chunk.spans();
        let fits = |queued: usize| queued + spans <= bound;
        if !fits(self.queued_spans.load(Ordering::Relaxed)) {
            return Err(DropCause::QueueFull);
        }
        let mut state = self.state();
        if state.worker == Worker::Ended {
            // Recorded while the thread was ending, or within another record, and too late for the last sweep.
            state.fold(open);
            state
                .ledger
                .dropped
                .count(DropCause::AfterShutdown, spans as u64);
            state.recycle(&mut open.chunk, &self.limits);
            return Ok(());
        }
        if !fits(state.queued_spans()) {
            return Err(DropCause::QueueFull);
        }
        state.fold(open);
        state.push(&mut open.chunk, &self.limits);
        self.publish(&state);
        if state.rouses_worker(&self.limits) {
            self.wake(state);
        }
        Ok(())
    }

    /// Lets everyone see how full queue and memory are.
    pub(crate) fn publish(&self, state: &State) {
        self.queued_spans
            .store(state.queued_spans(), Ordering::Relaxed);
        self.bytes_in_use
            .store(state.bytes_in_use(&self.limits), Ordering::Relaxed);
    }

    /// Whether the queue has no room for another full chunk, or less than half of the memory is left.
    #[inline]
    pub(crate) fn wants_flush(&self) -> bool {
        let queued = self.queued_spans.load(Ordering::Relaxed);
        queued.saturating_add(self.limits.chunk_spans) > self.limits.queue_spans
            || self.bytes_in_use.load(Ordering::Relaxed) > self.limits.chunks_bytes / 2
    }

    /// An empty chunk, within the bound on memory. Starts the worker.
    pub(crate) fn acquire(self: &Arc<Self>) -> Result<Chunk, DropCause> {
        let mut state = self.state();
        let mut chunk = state.acquire(&self.limits);
        while chunk.is_none() && state.may_relieve() {
            drop(state);
            let relieved = self.relieve();
            state = self.state();
            chunk = state.acquire(&self.limits);
            state.was_relieved(relieved);
        }
        if state.wants_worker() {
            worker::start(self, &mut state);
        }
        self.publish(&state);
        let lacks_worker = state.wants_worker();
        if state.mark_waiting() && state.rest == Rest::Idle {
            // So that it knows when the span is due.
            self.wake(state);
        } else {
            drop(state);
        }
        if lacks_worker {
            self.complain(DropCause::Unavailable);
        }
        chunk.ok_or(DropCause::QueueFull)
    }

    /// Takes half-empty chunks from threads that hold them, so that many threads fit into little memory; `false` if there
    /// are none to be had.
    ///
    /// Called with a slot's lock held, which someone with the registry's lock may be waiting for: so it waits for nobody.
    #[cold]
    fn relieve(&self) -> bool {
        let Some(registry) = (0..sync::TRY_LOCK_ATTEMPTS).find_map(|_| {
            sync::try_lock(&self.registry).or_else(|| {
                sync::yield_now();
                None
            })
        }) else {
            return false;
        };
        let mut relieved = false;
        for slot in registry.iter() {
            if let Some(mut open) = slot.try_lock()
                && !open.chunk.is_vacant()
            {
                if self.hand_over(&mut open).is_err() {
                    break;
                }
                relieved = true;
            }
        }
        relieved
    }

    /// Charges what the chunk's buffer grew, if the bound on memory allows.
    pub(crate) fn account_growth(&self, chunk: &mut Chunk) -> Result<(), DropCause> {
        if chunk.capacity() <= chunk.charged {
            return Ok(());
        }
        let mut state = self.state();
        let charged = state.charge(chunk, &self.limits);
        self.publish(&state);
        charged.then_some(()).ok_or(DropCause::QueueFull)
    }

    /// Takes the chunks of all threads into the queue, whatever its bound: their memory is accounted for already.
    ///
    /// Gives how many spans were ever handed over: when that many are settled, all that was recorded before is.
    pub(crate) fn sweep(&self) -> u64 {
        let registry = self.registry();
        for slot in registry.iter() {
            let mut open = slot.lock();
            if !open.chunk.is_vacant() {
                let mut state = self.state();
                state.fold(&mut open);
                state.push(&mut open.chunk, &self.limits);
            }
        }
        drop(registry);
        let state = self.state();
        self.publish(&state);
        state.pushed()
    }

    /// Where every span is. Holds every thread's lock for the time of the count.
    pub(crate) fn stats(&self) -> ExportStats {
        let registry = self.registry();
        let slots: Vec<MutexGuard<'_, Open>> = registry.iter().map(|slot| slot.lock()).collect();
        let mut stats = self.state().stats(&self.limits);
        for open in &slots {
            stats.recorded += open.recorded;
            stats.dropped.absorb(&open.dropped);
            stats.open += open.chunk.spans() as u64;
        }
        stats.threads = slots.len() as u64;
        stats
    }

    /// Wakes the worker, if it rests: waking is a system call, and is done with the lock given back, so that the one who is
    /// woken does not run into it.
    pub(crate) fn wake(&self, mut state: MutexGuard<'_, State>) {
        let rest = std::mem::take(&mut state.rest);
        drop(state);
        if rest != Rest::None {
            self.work.notify_all();
        }
    }

    /// Wakes those who wait for the worker, if somebody does.
    pub(crate) fn announce(&self) {
        if self.state().waiting_for_worker > 0 {
            self.done.notify_all();
        }
    }

    /// The worker rests until it is woken, or until `until`.
    pub(crate) fn rest<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        rest: Rest,
        until: Option<Instant>,
    ) -> MutexGuard<'a, State> {
        state.rest = rest;
        let mut state = sync::wait(&self.work, &self.state, state, until);
        state.rest = Rest::None;
        state
    }

    /// Waits until the worker says something, or until `until`.
    pub(crate) fn await_worker<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        until: Instant,
    ) -> MutexGuard<'a, State> {
        state.waiting_for_worker += 1;
        let mut state = sync::wait(&self.done, &self.state, state, Some(until));
        state.waiting_for_worker -= 1;
        state
    }

    /// Says once in an outage that spans are being dropped.
    #[cold]
    pub(crate) fn complain(&self, cause: DropCause) {
        if cause != DropCause::AfterShutdown
            && !self.complained.load(Ordering::Relaxed)
            && !self.complained.swap(true, Ordering::Relaxed)
        {
            let _quiet = opentelemetry::Context::enter_telemetry_suppressed_scope();
            tracing::warn!(
                name: "SpansDropped",
                cause = cause.name(),
                queue_spans = self.limits.queue_spans,
                "spans are being dropped, and counted: said once until the collector takes spans again"
            );
        }
    }

    /// The outage is over.
    pub(crate) fn recovered(&self) {
        self.complained.store(false, Ordering::Relaxed);
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core")
            .field("id", &self.id)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
