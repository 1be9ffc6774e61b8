use crate::DropCause;
use crate::batch::Batch;
use crate::core::Core;
use crate::delivery::{Delivery, World, earliest};
use crate::state::{Outcome, Rest, State, Worker};
use opentelemetry::Context;
use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};
use zerospan_core::sync::MutexGuard;

/// Starts the worker of `core`. If the system gives no thread, the next chunk tries again.
pub(crate) fn start(core: &Arc<Core>, state: &mut MutexGuard<'_, State>) {
    let mine = Arc::clone(core);
    let spawned = std::thread::Builder::new()
        .name("zerospan-export".to_owned())
        .spawn(move || run(&mine));
    if spawned.is_ok() {
        state.worker = Worker::Running;
    }
}

thread_local! {
    static IS_WORKER: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is a pipeline's worker.
pub(crate) fn is_this_thread() -> bool {
    IS_WORKER.get()
}

fn run(core: &Arc<Core>) {
    IS_WORKER.set(true);
    // Whatever a transport does here, it is not traced.
    let _quiet = Context::enter_telemetry_suppressed_scope();
    // Declared before `end`, and so dropped after it: a transport that takes its time to go holds up nobody.
    let mut delivery = Delivery::default();
    let mut end = End {
        core,
        batch: Batch::default(),
    };
    let mut dozes_until = None;
    loop {
        match next_task(core, dozes_until) {
            Task::Sweep => {
                let pushed = core.sweep();
                let mut state = core.state();
                state.flush_to = state.flush_to.max(pushed);
            }
            Task::Export => {
                export(core, &**core, &mut end.batch, &mut delivery);
                dozes_until = Some(Instant::now() + DOZE);
            }
            Task::End => return,
        }
    }
}

/// How long the worker dozes behind a request. Where spans come fast, the next request is then there without anybody having
/// woken the worker, which is what costs a thread that records most; where they do not, a request waits that long at most.
const DOZE: Duration = Duration::from_millis(100);

enum Task {
    Sweep,
    Export,
    End,
}

/// Waits for something to do.
fn next_task(core: &Core, dozes_until: Option<Instant>) -> Task {
    let mut state = core.state();
    loop {
        if let Some(deadline) = state.shutdown {
            let done = state.queued_spans() == 0 || deadline <= Instant::now();
            return if done { Task::End } else { Task::Export };
        }
        if state.has_batch(&core.limits) || state.flush_to > state.settled() {
            return Task::Export;
        }
        let due = state.due(&core.limits);
        if due.is_some_and(|due| due <= Instant::now()) {
            state.restart_timer();
            return Task::Sweep;
        }
        let doze = dozes_until.filter(|end| *end > Instant::now());
        state = match doze {
            Some(end) => core.rest(state, Rest::Doze, Some(earliest(end, due))),
            None => core.rest(state, Rest::Idle, due),
        };
    }
}

fn export(core: &Core, world: &impl World, batch: &mut Batch, delivery: &mut Delivery) {
    delivery.wait_for_permission(world);
    if world.deadline().is_some_and(|end| end <= Instant::now()) {
        return;
    }
    let setup = &core.setup;
    batch.fill(core, setup.resource.get().unwrap_or(&setup.no_resource));
    let spans = batch.spans();
    {
        let mut state = core.state();
        state.take_off(spans as u64);
        core.publish(&state);
    }
    if spans > 0 {
        let timeout = core.limits.timeout;
        let outcome = delivery.deliver(&core.setup, world, batch.payload(), spans, timeout);
        if matches!(outcome, Outcome::Delivered { .. }) {
            core.recovered();
        }
        core.state().settle(spans as u64, outcome);
    }
    core.announce();
}

impl World for Core {
    fn deadline(&self) -> Option<Instant> {
        self.state().shutdown
    }

    fn pause(&self, until: Instant) {
        drop(self.rest(self.state(), Rest::Pause, Some(until)));
    }

    fn attempt(&self) {
        self.state().ledger.attempts += 1;
    }
}

/// What the worker works with, where there is none.
#[derive(Default)]
pub(crate) struct Hand {
    batch: Batch,
    delivery: Delivery,
}

/// Sends what is queued, on this thread, until `target` spans are settled or `until` is past.
pub(crate) fn by_hand(core: &Core, hand: &mut Hand, target: u64, until: Instant) {
    let _quiet = Context::enter_telemetry_suppressed_scope();
    let world = Until { core, until };
    while core.state().settled() < target && Instant::now() < until {
        export(core, &world, &mut hand.batch, &mut hand.delivery);
    }
}

/// Drops what is left, and the transport: a pipeline without a worker is shut down.
pub(crate) fn put_down(core: &Core, hand: &mut Hand) {
    hand.batch.discard_rest(core, DropCause::ShutdownTimeout);
    hand.delivery = Delivery::default();
    let mut state = core.state();
    state.discard_queue(DropCause::ShutdownTimeout, &core.limits);
    state.worker = Worker::Ended;
    core.publish(&state);
}

/// The world of one call with an end.
struct Until<'a> {
    core: &'a Core,
    until: Instant,
}

impl World for Until<'_> {
    fn deadline(&self) -> Option<Instant> {
        Some(self.until)
    }

    fn pause(&self, until: Instant) {
        self.core.pause(until);
    }

    fn attempt(&self) {
        self.core.attempt();
    }
}

/// Settles what is left when the worker ends, even by a panic.
struct End<'a> {
    core: &'a Arc<Core>,
    batch: Batch,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        let panicking = std::thread::panicking();
        let cause = if panicking {
            DropCause::TransportPanic
        } else {
            DropCause::ShutdownTimeout
        };
        self.batch.discard_rest(self.core, cause);
        let mut state = self.core.state();
        let in_flight = state.in_flight();
        if in_flight > 0 {
            state.settle(in_flight, Outcome::Dropped(cause));
        }
        if panicking {
            // The next chunk starts another.
            state.worker = Worker::NotStarted;
        } else {
            state.discard_queue(cause, &self.core.limits);
            state.worker = Worker::Ended;
        }
        self.core.publish(&state);
        drop(state);
        self.core.announce();
    }
}
