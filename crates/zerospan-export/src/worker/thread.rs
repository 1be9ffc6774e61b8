//! The worker thread.

use super::export::export;
use crate::base::stats::DropCause;
use crate::batch::Batch;
use crate::delivery::Delivery;
use crate::queue::inner::PipelineInner;
use crate::queue::state::{WorkerSleep, WorkerState};
use std::cell::Cell;
use std::io;
use std::sync::Arc;
use std::time::Instant;
use zerospan_core::log;
use zerospan_pool::thread_states::OwnerId;

thread_local! {
    static WORKER_OF: Cell<Option<OwnerId>> = const { Cell::new(None) };
}

/// Returns `true` on the thread that is the pipeline's worker.
pub(crate) fn is_worker_of(inner: &PipelineInner) -> bool {
    WORKER_OF.get() == Some(inner.id)
}

/// Spawns the worker thread of a pipeline.
pub(crate) fn spawn(inner: &Arc<PipelineInner>) -> io::Result<()> {
    let inner = Arc::clone(inner);
    std::thread::Builder::new()
        .name("zerospan-export".to_owned())
        .spawn(move || run(&inner))
        .map(drop)
}

fn run(inner: &Arc<PipelineInner>) {
    WORKER_OF.set(Some(inner.id));
    // The work of a transport is not traced.
    let _suppressed = log::suppress_telemetry();
    // Declared before `exit` and so dropped after it: no thread waits for a slow drop of the transport.
    let mut delivery = Delivery::default();
    let mut exit = Exit {
        inner,
        batch: Batch::default(),
    };
    loop {
        match next_task(inner) {
            Task::Collect => {
                let pushed = inner.collect();
                let mut state = inner.state();
                state.flush_target = state.flush_target.max(pushed);
            }
            Task::Export => {
                export(inner, &**inner, &mut exit.batch, &mut delivery);
            }
            Task::Exit => return,
        }
    }
}

enum Task {
    /// Move the chunks of all threads to the queue.
    Collect,
    /// Send a request.
    Export,
    Exit,
}

/// Waits for a task. Frees memory that has long been idle.
fn next_task(inner: &PipelineInner) -> Task {
    let mut state = inner.state();
    // Asked once before each sleep.
    let mut others: Option<Option<Instant>> = None;
    loop {
        if let Some(deadline) = state.shutdown_deadline {
            let done = state.queued_items() == 0 || deadline <= Instant::now();
            return if done { Task::Exit } else { Task::Export };
        }
        if state.has_batch(&inner.limits) || state.flush_target > state.finished() {
            return Task::Export;
        }
        let now = Instant::now();
        let due = state.due(&inner.limits);
        if due.is_some_and(|due| due <= now) {
            state.stop_timer();
            return Task::Collect;
        }
        let trim_at = state.trim_at();
        if trim_at.is_some_and(|time| time <= now) {
            let excess = state.trim(now, &inner.limits);
            drop(state);
            drop(excess);
            state = inner.state();
            continue;
        }
        let Some(trim_others_at) = others.take() else {
            let next;
            (state, next) = inner.trim_others(state);
            others = Some(next);
            continue;
        };
        let deadline = [due, trim_at, trim_others_at].into_iter().flatten().min();
        state = inner.sleep(state, WorkerSleep::Idle, deadline);
    }
}

/// Drops the remaining items when the worker ends, also by a panic.
struct Exit<'a> {
    inner: &'a Arc<PipelineInner>,
    batch: Batch,
}

impl Drop for Exit<'_> {
    fn drop(&mut self) {
        let panicking = std::thread::panicking();
        let cause = if panicking {
            DropCause::TransportPanic
        } else {
            DropCause::ShutdownTimeout
        };
        self.batch.discard_rest(self.inner, cause);
        let mut state = self.inner.state();
        if panicking {
            // The next chunk starts another worker.
            state.worker = WorkerState::NotStarted;
        } else {
            state.discard_queue(cause, &self.inner.limits);
            state.worker = WorkerState::Ended;
        }
        self.inner.publish_levels(&state);
        drop(state);
        self.inner.notify_progress();
    }
}
