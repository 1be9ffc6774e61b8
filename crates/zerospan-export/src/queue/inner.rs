mod hand_over;

use super::state::{State, WorkerSleep, WorkerState};
use super::thread_buffer::{BufferState, ThreadBuffer};
use crate::base::config::PipelineConfig;
use crate::base::error::DeliveryError;
use crate::base::limits::Limits;
use crate::base::stats::{DropCause, ExportStats};
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;
use zerospan_core::fork::{self, ProcessOwned};
use zerospan_core::log::WarnOnce;
use zerospan_core::sync::{self, AtomicBool, AtomicUsize, Condvar, Mutex, MutexGuard, OnceBox};
use zerospan_pool::thread_states::{DropSignal, OwnerId};

/// A failure, and when it happened.
type LastFailure = Option<(Instant, Arc<DeliveryError>)>;

/// The state of a pipeline in one process, shared by its handles, the threads that record, and the worker.
///
/// A forked child forgets that of its parent.
///
/// Locks are taken in this order: registry, thread buffer, state.
pub(crate) struct PipelineInner {
    pub(crate) id: OwnerId,
    /// Fork generation of the process that this state belongs to.
    generation: u64,
    pub(crate) limits: Limits,
    pub(crate) config: ProcessOwned<Arc<PipelineConfig>>,
    spawn_worker: SpawnWorker,
    closed: AtomicBool,
    /// Copies of figures in `state`, to be read without its lock.
    queued_items: AtomicUsize,
    bytes_in_use: AtomicUsize,
    /// The system refused a thread for the worker at the last attempt.
    worker_failed: AtomicBool,
    /// By cause.
    drop_warnings: [WarnOnce; DropCause::ALL.len()],
    worker_warning: WarnOnce,
    last_failure: ProcessOwned<Mutex<LastFailure>>,
    registry: ProcessOwned<Mutex<Vec<Arc<ThreadBuffer>>>>,
    state: ProcessOwned<Mutex<State>>,
    /// Wakes the worker.
    work: Condvar,
    /// Wakes the threads that wait for the worker.
    progress: Condvar,
    /// The state of the pipeline in a forked child.
    child: OnceBox<Arc<Self>>,
    /// Tells the threads that have a buffer here to free it.
    _drop_signal: DropSignal,
}

/// Spawns the worker thread of a pipeline. A value, since the worker is a layer above.
pub(crate) type SpawnWorker = fn(&Arc<PipelineInner>) -> io::Result<()>;

impl PipelineInner {
    pub(crate) fn new(
        limits: Limits,
        config: Arc<PipelineConfig>,
        spawn_worker: SpawnWorker,
    ) -> Self {
        let mut state = State::default();
        if config.inline {
            state.worker = WorkerState::Inline;
        }
        Self {
            id: OwnerId::unique(),
            generation: fork::generation(),
            limits,
            config: ProcessOwned::new(config),
            spawn_worker,
            closed: AtomicBool::new(false),
            queued_items: AtomicUsize::new(0),
            bytes_in_use: AtomicUsize::new(0),
            worker_failed: AtomicBool::new(false),
            drop_warnings: Default::default(),
            worker_warning: WarnOnce::new(),
            last_failure: ProcessOwned::new(Mutex::default()),
            registry: ProcessOwned::new(Mutex::default()),
            state: ProcessOwned::new(Mutex::new(state)),
            work: Condvar::new(),
            progress: Condvar::new(),
            child: OnceBox::new(),
            _drop_signal: DropSignal,
        }
    }

    /// Returns the state for this process: `self`, or in a forked child an empty one with a worker of its own.
    #[inline]
    pub(crate) fn current(self: &Arc<Self>) -> &Arc<Self> {
        if self.is_current() {
            self
        } else {
            self.after_fork()
        }
    }

    /// Returns `true` in the process that made this state.
    #[inline]
    pub(crate) fn is_current(&self) -> bool {
        self.generation == fork::generation()
    }

    #[cold]
    fn after_fork(self: &Arc<Self>) -> &Arc<Self> {
        let mut inner = self;
        while inner.generation != fork::generation() {
            inner = inner.child.get_or_init(|| {
                let config = Arc::clone(&*self.config);
                let child = Self::new(self.limits, config, self.spawn_worker);
                child
                    .closed
                    .store(inner.closed.load(Ordering::Relaxed), Ordering::Relaxed);
                Arc::new(child)
            });
        }
        inner
    }

    /// Returns the state for this process, if there is one: a forked child makes it at the first use.
    pub(crate) fn current_if_used(self: &Arc<Self>) -> Option<&Arc<Self>> {
        let mut inner = self;
        while !inner.is_current() {
            inner = inner.child.get()?;
        }
        Some(inner)
    }

    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Closes the pipeline to new items; returns `false` if it was closed already.
    pub(crate) fn close(&self) -> bool {
        !self.closed.swap(true, Ordering::AcqRel)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        sync::lock(&self.state)
    }

    fn registry(&self) -> MutexGuard<'_, Vec<Arc<ThreadBuffer>>> {
        sync::lock(&self.registry)
    }

    /// Creates and registers a buffer for a thread.
    pub(crate) fn register(&self) -> Arc<ThreadBuffer> {
        let buffer = Arc::new(ThreadBuffer::default());
        self.registry().push(Arc::clone(&buffer));
        buffer
    }

    /// Removes a buffer from the registry and hands over its items.
    pub(crate) fn unregister(&self, buffer: &Arc<ThreadBuffer>) {
        let mut registry = self.registry();
        if let Some(index) = registry.iter().position(|other| Arc::ptr_eq(buffer, other)) {
            registry.swap_remove(index);
        }
        self.drain(buffer);
    }

    /// Publishes the fill levels of queue and memory to threads that do not hold the lock.
    pub(crate) fn publish_levels(&self, state: &State) {
        self.queued_items
            .store(state.queued_items(), Ordering::Relaxed);
        self.bytes_in_use
            .store(state.bytes_in_use(&self.limits), Ordering::Relaxed);
    }

    /// Returns `true` if the queue has no room for another full chunk, or less than half of the memory is left.
    #[inline]
    pub(crate) fn should_flush(&self) -> bool {
        let queued = self.queued_items.load(Ordering::Relaxed);
        queued.saturating_add(self.limits.chunk_items) > self.limits.queue_items
            || self.bytes_in_use.load(Ordering::Relaxed) > self.limits.chunks_bytes / 2
    }

    /// Returns the statistics. Holds the locks of all threads while it counts.
    pub(crate) fn stats(&self) -> ExportStats {
        let registry = self.registry();
        let buffers: Vec<MutexGuard<'_, BufferState>> =
            registry.iter().map(|buffer| buffer.lock()).collect();
        let mut stats = self.state().stats(&self.limits);
        for buffer in &buffers {
            stats.recorded += buffer.recorded;
            stats.dropped.merge(&buffer.dropped);
            stats.open += buffer.chunk.items() as u64;
        }
        stats.threads = buffers.len() as u64;
        stats
    }

    /// Spawns the worker if there should be one and is none. If the system refuses a thread, the next chunk tries again.
    pub(crate) fn start_worker(self: &Arc<Self>, state: &mut State) {
        if !state.needs_worker() {
            return;
        }
        let spawned = (self.spawn_worker)(self).is_ok();
        self.worker_failed.store(!spawned, Ordering::Relaxed);
        if spawned {
            state.worker = WorkerState::Running;
        }
    }

    /// Wakes the worker if it sleeps. Unlocks first, so that the worker does not wait for the lock.
    pub(crate) fn wake_worker(&self, mut state: MutexGuard<'_, State>) {
        let sleep = std::mem::take(&mut state.sleep);
        drop(state);
        if sleep != WorkerSleep::Awake {
            self.work.notify_all();
        }
    }

    /// Puts the worker to sleep until it is woken or `deadline` passes.
    pub(crate) fn sleep<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        sleep: WorkerSleep,
        deadline: Option<Instant>,
    ) -> MutexGuard<'a, State> {
        state.sleep = sleep;
        let mut state = sync::wait(&self.work, &self.state, state, deadline);
        state.sleep = WorkerSleep::Awake;
        state
    }

    /// Wakes the threads that wait for the worker, if there are any.
    pub(crate) fn notify_progress(&self) {
        if self.state().waiters > 0 {
            self.progress.notify_all();
        }
    }

    /// Waits until the worker makes progress or `deadline` passes.
    pub(crate) fn wait_for_progress<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        deadline: Instant,
    ) -> MutexGuard<'a, State> {
        state.waiters += 1;
        let mut state = sync::wait(&self.progress, &self.state, state, Some(deadline));
        state.waiters -= 1;
        state
    }

    /// Frees memory of others that was idle, without the lock. Returns when to do that again.
    pub(crate) fn trim_others<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
    ) -> (MutexGuard<'a, State>, Option<Instant>) {
        let mut next: Option<Instant> = None;
        let mut index = 0;
        while let Some(other) = state.others.get(index) {
            drop(state);
            let time = other.upgrade().and_then(|other| other.trim(Instant::now()));
            next = next.into_iter().chain(time).min();
            index += 1;
            state = self.state();
        }
        (state, next)
    }

    /// Notes that a request failed.
    pub(crate) fn note_failure(&self, failure: DeliveryError) {
        *sync::lock(&self.last_failure) = Some((Instant::now(), Arc::new(failure)));
    }

    /// Returns the last failure of a request, unless it was before `start`.
    pub(crate) fn failure_since(&self, start: Instant) -> Option<Arc<DeliveryError>> {
        let last = sync::lock(&self.last_failure);
        last.as_ref()
            .filter(|(time, _)| *time >= start)
            .map(|(_, failure)| Arc::clone(failure))
    }

    /// Logs, once per outage, cause and minute, that items are dropped. To be called without a lock.
    #[cold]
    pub(crate) fn warn_once(&self, cause: DropCause) {
        if cause == DropCause::AfterShutdown {
            return;
        }
        let items = self.config.signal.items();
        let queue_size = self.limits.max_queue_items();
        let max_chunk_bytes = self.limits.chunks_bytes;
        self.drop_warnings[cause as usize].warn(move || {
            tracing::warn!(
                name: "ItemsDropped",
                items,
                cause = cause.name(),
                queue_size,
                max_chunk_bytes,
                "{items} are being dropped and counted: logged once until the collector accepts a request, and at most \
                 once a minute for each cause"
            );
        });
        self.warn_without_worker();
    }

    /// Logs, once per outage, that the worker has no thread, if so. To be called without a lock.
    pub(crate) fn warn_without_worker(&self) {
        if self.worker_failed.load(Ordering::Relaxed) {
            let items = self.config.signal.items();
            self.worker_warning.warn(move || {
                tracing::warn!(
                    name: "WorkerNotStarted",
                    items,
                    "the system refused a thread for the worker: tried again with the next chunk"
                );
            });
        }
    }

    /// Notes that the outage is over: the next one is logged again.
    pub(crate) fn reset_warnings(&self) {
        for warning in &self.drop_warnings {
            warning.reset();
        }
        self.worker_warning.reset();
    }
}

impl fmt::Debug for PipelineInner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipelineInner")
            .field("id", &self.id)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
