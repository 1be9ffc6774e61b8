use crate::clock::Clock;
use crate::counts::{Counts, Sum};
use crate::ids::Ids;
use crate::local::{self, Attached, Local, Seat};
use crate::processor::{Ended, Processor};
use crate::sampler::Sampler;
use crate::slot::{Slot, Slots};
use crate::span::Span;
use crate::sync;
use opentelemetry_sdk::Resource;
use std::collections::HashMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, Weak};
use std::time::SystemTime;
use zerospan_export::{Pipeline, Producer, fork_generation};
use zerospan_otlp::unix_nanos;
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
        zerospan_export::watch_forks();
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
            seats: Mutex::new(Seats::of(fork_generation())),
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
        let generation = fork_generation();
        if seats.generation != generation {
            *seats = Seats::of(generation);
        }
        seats
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

/// Ends `span`, whose slot was taken out of it.
#[inline]
pub(crate) fn end(span: &mut Span, slot: Box<Slot>, time: Option<SystemTime>) {
    let mut slot = Some(slot);
    if time.is_none() && local::if_there(|local| end_plainly(local, &mut slot)) {
        return;
    }
    if let Some(slot) = slot {
        end_anyhow(span, slot, time);
    }
}

/// The usual way: the span ends now, began in this process, and only exporters are told. `false` where it is not so, and then
/// nothing is done.
fn end_plainly(local: &Local, place: &mut Option<Box<Slot>>) -> bool {
    let began_with = |slot: &Slot| Some((slot.parts.as_ref()?.core, slot.generation));
    let Some((id, generation)) = place.as_deref().and_then(began_with) else {
        return false;
    };
    let Some(seat) = local.seat_taken(id) else {
        return false;
    };
    if generation != seat.generation() {
        return false;
    }
    let ended = seat.with(|Attached { core, producers }| {
        if core.has_processors {
            return false;
        }
        let Some(slot) = place.take() else {
            return false;
        };
        let end = core.now_of(&slot, seat);
        seat.counts.ended(slot.is_exported);
        if slot.is_exported {
            export(producers, &slot, end);
        }
        core.put_away(seat, slot);
        true
    });
    ended == Some(true)
}

#[inline(never)]
fn end_anyhow(span: &mut Span, slot: Box<Slot>, time: Option<SystemTime>) {
    let mut slot = Some(slot);
    local::with(|local| {
        if let Some(slot) = slot.take() {
            end_on(local, span, slot, time);
        }
    });
}

fn end_on(local: &Local, span: &mut Span, slot: Box<Slot>, time: Option<SystemTime>) {
    // Without a provider there is nobody left to tell, and nobody who could ask what became of the span.
    let Some(parts) = &slot.parts else { return };
    let Some(seat) = local.seat_of(parts.core) else {
        return;
    };
    let counts = seat.counts();
    if slot.generation != seat.generation() {
        // The parent of the fork has this span too, and exports it when it ends there.
        counts.before_fork.raise();
        seat.with(|to| seat.put_slot(&to.core, slot));
        return;
    }
    counts.ended(slot.is_exported);
    let ended = seat.with(|Attached { core, producers }| {
        let end = match time {
            None => core.now_of(&slot, seat),
            Some(time) => unix_nanos(time),
        };
        if core.has_processors {
            return Some((Arc::clone(core), slot, end));
        }
        if slot.is_exported {
            export(producers, &slot, end);
        }
        core.put_away(seat, slot);
        None
    });
    if let Some(Some((core, slot, end))) = ended {
        core.end_with_processors(seat, span, slot, end);
    }
}

#[inline(always)]
fn export(producers: &[Producer], slot: &Slot, end: u64) {
    let Some(parts) = &slot.parts else { return };
    for producer in producers {
        // What is not taken is counted by the pipeline.
        let _ = producer.record(&parts.encoded, &slot.recorder, end, &slot.status);
    }
}

impl Core {
    /// The time by the span's clock, in nanoseconds since 1970.
    #[inline(always)]
    pub(crate) fn now_of(&self, slot: &Slot, seat: &Seat) -> u64 {
        if slot.start_is_given {
            self.clock.read(&seat.anchor).unix
        } else {
            self.clock.unix_since(&slot.start, &seat.anchor)
        }
    }

    /// Has the processors see the span, while it can still be written to and when it has ended.
    #[cold]
    #[inline(never)]
    fn end_with_processors(&self, seat: &Seat, span: &mut Span, mut slot: Box<Slot>, end: u64) {
        slot.is_ending = true;
        span.put_slot(slot);
        for processor in self.processors() {
            contain(|| processor.on_ending(span));
        }
        let Some(slot) = span.take_slot() else { return };
        let Some(parts) = slot.parts.clone() else {
            return;
        };
        let mut encoded = ENCODED.take();
        encoded.clear();
        slot.recorder.finish(end, &slot.status, &mut encoded);
        let ended = Ended::new(&encoded, span.context(), &slot, &parts, &self.resource);
        for stage in &self.stages {
            match stage {
                Stage::Processor(processor) => contain(|| processor.on_end(&ended)),
                Stage::Pipeline(pipeline) if slot.is_exported => {
                    let _ = pipeline.record(&parts.encoded, |out| out.extend_from_slice(&encoded));
                }
                Stage::Pipeline(_) => {}
            }
        }
        ENCODED.set(encoded);
        self.put_away(seat, slot);
    }

    #[inline(always)]
    fn put_away(&self, seat: &Seat, slot: Box<Slot>) {
        let dropped = slot.recorder.dropped_attributes()
            | slot.recorder.dropped_events()
            | slot.recorder.dropped_links();
        if dropped != 0 {
            complain(&slot);
        }
        seat.put_slot(self, slot);
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

thread_local! {
    /// The bytes that processors look at, reused from span to span.
    static ENCODED: std::cell::Cell<Vec<u8>> = const { std::cell::Cell::new(Vec::new()) };
}

#[cold]
#[inline(never)]
fn complain(slot: &Slot) {
    tracing::warn!(
        name: "SpanLimitExceeded",
        span = slot.recorder.name(),
        dropped_attributes = slot.recorder.dropped_attributes(),
        dropped_events = slot.recorder.dropped_events(),
        dropped_links = slot.recorder.dropped_links(),
        "a span held more than its limits allow, or a value of an unsupported kind: the rest was discarded; raise the \
         OTEL_SPAN_*_COUNT_LIMIT that applies, or record less"
    );
}
