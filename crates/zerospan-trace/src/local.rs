use crate::clock::Anchor;
use crate::core::{Core, CoreId};
use crate::counts::Counts;
use crate::ids::RandomIds;
use crate::scope::ScopeStack;
use crate::slot::Slot;
use std::cell::{Cell, OnceCell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use zerospan_core::{Footprint, Reset, fork};
use zerospan_export::{Pipeline, Producer};
use zerospan_pool::{Pool, Return};

/// What a thread keeps for itself, so that starting and ending a span writes to nothing that threads share.
pub(crate) struct Local {
    pub(crate) scopes: ScopeStack,
    pub(crate) ids: RefCell<RandomIds>,
    seats: Seats,
}

thread_local! {
    static LOCAL: Local = const { Local::new() };
}

/// Runs `work` on this thread's part.
///
/// Where the thread is ending and has given its part up, `work` gets an empty one, which is given up behind it: spans of
/// other thread-locals' destructors are recorded too.
#[inline]
pub(crate) fn with<O>(mut work: impl FnMut(&Local) -> O) -> O {
    match LOCAL.try_with(&mut work) {
        Ok(outcome) => outcome,
        Err(_) => work(&Local::new()),
    }
}

/// Runs `work` on this thread's part; `false` where it is given up.
#[inline(always)]
pub(crate) fn if_there(work: impl FnOnce(&Local) -> bool) -> bool {
    LOCAL.try_with(work).unwrap_or(false)
}

impl Local {
    const fn new() -> Self {
        Self {
            scopes: ScopeStack::new(),
            ids: RefCell::new(RandomIds::new()),
            seats: Seats::new(),
        }
    }

    /// This thread's seat at the provider, if it has one, and that is good for this process.
    #[inline]
    pub(crate) fn seat_taken(&self, id: CoreId) -> Option<&Seat> {
        let seat = self.seats.find(id)?;
        (seat.generation.get() == fork::generation()).then_some(seat)
    }

    /// This thread's seat at the provider.
    #[inline]
    pub(crate) fn seat(&self, core: &Arc<Core>) -> &Seat {
        match self.seats.find(core.id()) {
            Some(seat) => seat,
            None => self.seats.bind(core),
        }
    }

    /// This thread's seat at the provider of that id; `None` if the provider is gone.
    #[inline]
    pub(crate) fn seat_of(&self, id: CoreId) -> Option<&Seat> {
        match self.seats.find(id) {
            Some(seat) => Some(seat),
            None => Core::of(id).map(|core| self.seats.bind(&core)),
        }
    }
}

/// What one thread keeps of one provider.
pub(crate) struct Seat {
    /// The provider; `None` where the seat is free.
    id: Cell<Option<CoreId>>,
    pub(crate) anchor: Cell<Anchor>,
    pub(crate) counts: Arc<Counts>,
    /// The process that `counts` are of: its number of forks.
    generation: Cell<u64>,
    attached: RefCell<Option<Attached>>,
    /// The slot of the span that ended last, at hand for the next: the pool behind it lends the others.
    spare: Cell<Option<Box<Slot>>>,
    next: OnceCell<Box<Seat>>,
}

/// The provider that a seat is at, and this thread's ways to its exporters.
pub(crate) struct Attached {
    pub(crate) core: Arc<Core>,
    pub(crate) producers: Vec<Producer>,
}

impl Attached {
    fn to(core: &Arc<Core>) -> Self {
        Self {
            core: Arc::clone(core),
            producers: core.pipelines().map(Pipeline::producer).collect(),
        }
    }
}

/// A thread's seats: a list that only grows, so that a reference to one stays good without a borrow flag while a
/// processor or a sampler runs. A seat whose provider is gone is given to the next one.
struct Seats {
    first: OnceCell<Box<Seat>>,
    /// How many providers had gone when this thread last looked for seats of theirs.
    seen_gone: Cell<u64>,
}

/// How many providers have gone.
static GONE: AtomicU64 = AtomicU64::new(0);

/// Has every thread free its seat at a provider that is gone, when it next sits down at another.
pub(crate) fn announce_gone() {
    GONE.fetch_add(1, Ordering::Release);
}

impl Seats {
    const fn new() -> Self {
        Self {
            first: OnceCell::new(),
            seen_gone: Cell::new(0),
        }
    }

    #[inline]
    fn find(&self, id: CoreId) -> Option<&Seat> {
        match self.first.get() {
            Some(first) if first.id.get() == Some(id) => Some(first),
            _ => self.search(Some(id)),
        }
    }

    #[cold]
    fn search(&self, id: Option<CoreId>) -> Option<&Seat> {
        self.iter().find(|seat| seat.id.get() == id)
    }

    fn iter(&self) -> impl Iterator<Item = &Seat> {
        std::iter::successors(self.first.get(), |seat| seat.next.get()).map(|seat| &**seat)
    }

    #[cold]
    fn bind(&self, core: &Arc<Core>) -> &Seat {
        if GONE.load(Ordering::Acquire) != self.seen_gone.get() {
            self.sweep();
        }
        let seat = match self.search(None) {
            Some(free) => free,
            None => {
                let mut end = &self.first;
                while let Some(seat) = end.get() {
                    end = &seat.next;
                }
                end.get_or_init(|| Box::new(Seat::free()))
            }
        };
        seat.generation.set(core.admit(&seat.counts));
        seat.anchor.set(Anchor::default());
        seat.attached.replace(Some(Attached::to(core)));
        seat.id.set(Some(core.id()));
        seat
    }

    fn sweep(&self) {
        self.seen_gone.set(GONE.load(Ordering::Acquire));
        for seat in self.iter() {
            if seat.is_of_the_gone() {
                seat.leave();
            }
        }
    }
}

impl Seat {
    fn free() -> Self {
        Self {
            id: Cell::new(None),
            anchor: Cell::new(Anchor::default()),
            counts: Arc::default(),
            generation: Cell::new(0),
            attached: RefCell::new(None),
            spare: Cell::new(None),
            next: OnceCell::new(),
        }
    }

    /// What this thread counts in this process: a forked child begins at zero.
    #[inline]
    pub(crate) fn counts(&self) -> &Counts {
        if self.generation.get() != fork::generation() {
            self.count_anew();
        }
        &self.counts
    }

    /// The process that the counts are of.
    #[inline]
    pub(crate) fn generation(&self) -> u64 {
        self.generation.get()
    }

    #[cold]
    fn count_anew(&self) {
        self.counts.clear();
        let spare = self.spare.take();
        self.counts.spare.set(u64::from(spare.is_some()));
        self.spare.set(spare);
        let core = self.with(|attached| Arc::clone(&attached.core));
        let Some(core) = core else { return };
        self.generation.set(core.admit(&self.counts));
        // Where it is borrowed, a span is ending, and a producer of the parent's serves once more.
        if let Ok(mut attached) = self.attached.try_borrow_mut() {
            *attached = Some(Attached::to(&core));
        }
    }

    /// Runs `work`, which is the crate's own code, on the provider.
    #[inline]
    pub(crate) fn with<O>(&self, work: impl FnOnce(&Attached) -> O) -> Option<O> {
        self.attached.borrow().as_ref().map(work)
    }

    /// A slot for a span that starts. Allocates where none is idle.
    #[inline]
    pub(crate) fn take_slot(&self, core: &Core) -> Box<Slot> {
        match self.spare.take() {
            Some(slot) => {
                self.counts.spare.set(0);
                slot
            }
            None => core.slots.take(),
        }
    }

    /// Keeps the slot of a span that has ended, within the bounds.
    #[inline(always)]
    pub(crate) fn put_slot(&self, core: &Core, mut slot: Box<Slot>) {
        if core.keeps_spares && self.counts.spare.read() == 0 {
            slot.reset();
            if slot.heap_bytes() <= core.slot_bytes {
                self.counts.spare.set(1);
                self.spare.set(Some(slot));
                return;
            }
        }
        give_back(core, slot);
    }

    fn is_of_the_gone(&self) -> bool {
        // Where it is borrowed, a span is ending: the next sweep comes by.
        self.attached
            .try_borrow_mut()
            .is_ok_and(|attached| attached.as_ref().is_some_and(|to| to.core.is_gone()))
    }

    fn leave(&self) {
        self.id.set(None);
        let attached = self.attached.take();
        if let Some(Attached { core, producers }) = attached {
            drop(producers);
            if let Some(slot) = self.spare.take() {
                self.counts.spare.set(0);
                core.slots.put(Return::Reuse(slot));
            }
            core.dismiss(&self.counts);
        }
    }
}

#[inline(never)]
fn give_back(core: &Core, slot: Box<Slot>) {
    core.slots.put(Return::Reuse(slot));
}

impl Drop for Seats {
    fn drop(&mut self) {
        // One after the other: the drop of a long list must not recurse.
        let mut rest = self.first.take();
        while let Some(mut seat) = rest {
            rest = seat.next.take();
            seat.leave();
        }
    }
}
