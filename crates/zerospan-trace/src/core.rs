use crate::clock::Clock;
use crate::counts::{Counts, Sum};
use crate::ids::Ids;
use crate::local::{self, Seat};
use crate::processor::Processor;
use crate::sampler::Sampler;
use crate::slot::{Slot, Slots};
use opentelemetry_sdk::Resource;
use std::collections::HashMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, Weak};
use zerospan_core::fork;
use zerospan_core::sync;
use zerospan_export::Pipeline;
use zerospan_pool::Pool;

/// The number of a provider, unlike that of any other that this process has or had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CoreId(u64);

/// What all handles of a provider, its tracers and all threads share.
pub(crate) struct Core {
    id: CoreId,
    pub(crate) sampler: Sampler,
    pub(crate) ids: Ids,
    pub(crate) clock: Clock,
    pub(crate) slots: Slots,
    /// How much heap memory an idle slot may retain, in bytes.
    pub(crate) slot_bytes: usize,
    /// Whether threads keep a slot at hand: not where no slot is to be kept.
    pub(crate) keeps_spares: bool,
    /// Who is told of spans, in order.
    pub(crate) stages: Vec<Stage>,
    pub(crate) resource: Resource,
    /// Whether a sampler or a processor wants a `Context`.
    pub(crate) wants_context: bool,
    pub(crate) has_processors: bool,
    /// Whether no span is recorded: after the shutdown, or because the SDK is disabled.
    closed: AtomicBool,
    /// Whether spans are recorded, and nobody wants to be asked or told of one that starts.
    is_plain: AtomicBool,
    shut_down: AtomicBool,
    /// Whether no handle of the provider is left.
    gone: AtomicBool,
    seats: Mutex<Seats>,
}

/// One of those who are told of spans.
pub(crate) enum Stage {
    Processor(Box<dyn Processor>),
    Pipeline(Pipeline),
}

/// The counts of all threads of this process.
struct Seats {
    /// The process that they are of: its number of forks.
    generation: u64,
    taken: Vec<Arc<Counts>>,
    /// What threads counted that have left.
    left: Sum,
}

impl Seats {
    fn of(generation: u64) -> Self {
        Self {
            generation,
            taken: Vec::new(),
            left: Sum::default(),
        }
    }
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// The providers of this process: for spans that end on a thread that has not seen their provider.
static CORES: LazyLock<Mutex<HashMap<CoreId, Weak<Core>>>> = LazyLock::new(Mutex::default);

fn cores() -> MutexGuard<'static, HashMap<CoreId, Weak<Core>>> {
    sync::lock(&CORES)
}

/// What a provider is made of.
pub(crate) struct Parts {
    pub(crate) sampler: Sampler,
    pub(crate) ids: Ids,
    pub(crate) clock: Clock,
    pub(crate) slots: Slots,
    pub(crate) slot_bytes: usize,
    pub(crate) stages: Vec<Stage>,
    pub(crate) resource: Resource,
    pub(crate) disabled: bool,
}

impl Core {
    pub(crate) fn new(parts: Parts) -> Arc<Self> {
        if let Err(error) = fork::watch() {
            tracing::warn!(
                name: "ForkUnwatched",
                error = %error,
                "a forked child cannot be detected and would export this process's spans again"
            );
        }
        let has_processors = parts
            .stages
            .iter()
            .any(|stage| matches!(stage, Stage::Processor(_)));
        let wants_context = has_processors || parts.sampler.wants_context();
        let core = Arc::new(Self {
            id: CoreId(NEXT_ID.fetch_add(1, Ordering::Relaxed)),
            wants_context,
            has_processors,
            sampler: parts.sampler,
            ids: parts.ids,
            clock: parts.clock,
            keeps_spares: parts.slots.capacity() > 0,
            slots: parts.slots,
            slot_bytes: parts.slot_bytes,
            stages: parts.stages,
            resource: parts.resource,
            is_plain: AtomicBool::new(!parts.disabled && !wants_context),
            closed: AtomicBool::new(parts.disabled),
            shut_down: AtomicBool::new(false),
            gone: AtomicBool::new(false),
            seats: Mutex::new(Seats::of(fork::generation())),
        });
        cores().insert(core.id, Arc::downgrade(&core));
        core
    }

    /// The provider of that id; `None` if it is gone.
    #[cold]
    pub(crate) fn of(id: CoreId) -> Option<Arc<Self>> {
        cores().get(&id).and_then(Weak::upgrade)
    }

    #[inline]
    pub(crate) fn id(&self) -> CoreId {
        self.id
    }

    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Whether a span may start in the usual way: with nobody to be asked or told.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.is_plain.load(Ordering::Acquire)
    }

    /// Has no span recorded from here on; `false` if the provider was shut down before.
    pub(crate) fn shut_down(&self) -> bool {
        self.closed.store(true, Ordering::Release);
        self.is_plain.store(false, Ordering::Release);
        !self.shut_down.swap(true, Ordering::AcqRel)
    }

    #[inline]
    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// The last handle is dropped: threads may give up their seats, and the slots that nobody holds are freed.
    pub(crate) fn leave(&self) {
        self.gone.store(true, Ordering::Release);
        cores().remove(&self.id);
        local::announce_gone();
        self.slots.shrink(0);
    }

    /// Counts a thread in from here on, and says in which process that is.
    pub(crate) fn admit(&self, counts: &Arc<Counts>) -> u64 {
        let mut seats = self.seats();
        seats.taken.push(Arc::clone(counts));
        seats.generation
    }

    /// Takes over what a thread has counted.
    pub(crate) fn dismiss(&self, counts: &Arc<Counts>) {
        let mut seats = self.seats();
        // Who is not among them has counted for the process that this one was forked from.
        if let Some(seat) = seats
            .taken
            .iter()
            .position(|other| Arc::ptr_eq(other, counts))
        {
            seats.taken.swap_remove(seat);
            seats.left.add(counts);
        }
        counts.clear();
    }

    /// What all threads have counted, and how many of them live.
    pub(crate) fn counts(&self) -> (Sum, usize) {
        let seats = self.seats();
        let mut sum = seats.left;
        for counts in &seats.taken {
            sum.add(counts);
        }
        (sum, seats.taken.len())
    }

    /// A forked child has the parent's counts in its memory, and of its threads but one: it starts with none.
    fn seats(&self) -> MutexGuard<'_, Seats> {
        let mut seats = sync::lock(&self.seats);
        let generation = fork::generation();
        if seats.generation != generation {
            *seats = Seats::of(generation);
        }
        seats
    }

    /// The time by the span's clock, in nanoseconds since 1970.
    #[inline(always)]
    pub(crate) fn now_of(&self, slot: &Slot, seat: &Seat) -> u64 {
        if slot.start_is_given {
            self.clock.read(&seat.anchor).unix
        } else {
            self.clock.unix_since(&slot.start, &seat.anchor)
        }
    }

    pub(crate) fn pipelines(&self) -> impl Iterator<Item = &Pipeline> {
        self.stages.iter().filter_map(|stage| match stage {
            Stage::Pipeline(pipeline) => Some(pipeline),
            Stage::Processor(_) => None,
        })
    }

    pub(crate) fn processors(&self) -> impl Iterator<Item = &dyn Processor> {
        self.stages.iter().filter_map(|stage| match stage {
            Stage::Processor(processor) => Some(processor.as_ref()),
            Stage::Pipeline(_) => None,
        })
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core")
            .field("id", &self.id)
            .field("sampler", &self.sampler)
            .field("clock", &self.clock)
            .field("stages", &self.stages.len())
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

/// Runs a processor's code. A panic there is reported and goes no further: neither the span nor the traced program is lost
/// to it.
pub(crate) fn contain(work: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(work)).is_err() {
        tracing::error!(
            name: "ProcessorPanicked",
            "a span processor panicked: it is called again for the next span"
        );
    }
}
