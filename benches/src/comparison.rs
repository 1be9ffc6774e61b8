//! A row, its budget, and the two sides that it compares.

use crate::clock::Clock;
use crate::pinned_core::PinnedCore;
use std::fmt;
use std::hint::black_box;

/// One promise: what is compared, and how much better ours must be.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Area and name, separated by a dot: `otlp.encode`.
    pub id: &'static str,
    /// The peer's side in a few words.
    pub peer: &'static str,
    /// Our side in a few words.
    pub ours: &'static str,
    /// The required ratio.
    pub budget: Budget,
    /// Max heap allocations per operation on our side; `None` if the row makes no promise about them.
    pub allocations: Option<f64>,
    /// Sets up both sides.
    pub prepare: fn() -> Comparison,
}

impl Row {
    /// Returns what the row promises, without the sides.
    pub fn promise(&self) -> Promise {
        Promise {
            id: self.id,
            peer: self.peer,
            ours: self.ours,
            budget: self.budget,
            allocations: self.allocations,
        }
    }
}

/// A [`Row`] without the sides, which some programs beside this one measure.
#[derive(Clone, Copy, Debug)]
pub struct Promise {
    /// As [`Row::id`].
    pub id: &'static str,
    /// As [`Row::peer`].
    pub peer: &'static str,
    /// As [`Row::ours`].
    pub ours: &'static str,
    /// As [`Row::budget`].
    pub budget: Budget,
    /// As [`Row::allocations`].
    pub allocations: Option<f64>,
}

impl Promise {
    /// Returns the budget as text, including the allocations.
    pub fn terms(&self) -> String {
        match (self.budget, self.allocations) {
            (Budget::Allocations, max) => format!("{} allocs", max.unwrap_or_default()),
            (budget, Some(max)) => format!("{budget}, {max} allocs"),
            (budget, None) => budget.to_string(),
        }
    }
}

/// The required ratio of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Budget {
    /// The peer's time divided by ours is at least this.
    AtLeast(f64),
    /// Our time divided by the peer's is at most this: for growth, and for the distance to a limit.
    AtMost(f64),
    /// Only allocations are judged; times are shown.
    Allocations,
}

impl Budget {
    /// Returns the ratio that is compared with the budget.
    pub fn ratio(self, peer_ns: f64, ours_ns: f64) -> f64 {
        match self {
            Self::AtLeast(_) | Self::Allocations => peer_ns / ours_ns,
            Self::AtMost(_) => ours_ns / peer_ns,
        }
    }

    /// Returns `true` if `ratio` is within the budget.
    pub fn is_met_by(self, ratio: f64) -> bool {
        match self {
            Self::AtLeast(min) => ratio >= min,
            Self::AtMost(max) => ratio <= max,
            Self::Allocations => true,
        }
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(min) => write!(f, ">= {min}"),
            Self::AtMost(max) => write!(f, "<= {max}"),
            Self::Allocations => f.write_str("allocs only"),
        }
    }
}

/// Two sides that do the same work.
pub struct Comparison {
    /// Number of operations in one run of a side.
    pub(crate) operations: u64,
    pub(crate) clock: Clock,
    pub(crate) preparation: Option<Box<dyn FnMut()>>,
    sides: Box<dyn Sides>,
    /// Dropped after the sides, whose threads end on this core.
    _core: Option<PinnedCore>,
}

impl Comparison {
    /// Sets up a comparison. Each closure does `operations` operations and returns their outcome; `agree` decodes both
    /// outcomes and returns how they differ.
    ///
    /// Dropping an outcome is part of the time.
    pub fn new<P, O>(
        operations: u64,
        peer: impl FnMut() -> P + 'static,
        ours: impl FnMut() -> O + 'static,
        agree: impl FnMut(P, O) -> Result<(), String> + 'static,
    ) -> Self {
        Self {
            operations,
            clock: Clock::Wall,
            preparation: None,
            sides: Box::new(Pair { peer, ours, agree }),
            _core: None,
        }
    }

    /// Sets up a comparison whose threads all share one core: for [`Clock::Process`], where the placement of threads on
    /// two cores would cost more than the compared work.
    pub fn on_one_core(set_up: impl FnOnce() -> Self) -> Self {
        // Pinned first, since the threads of both sides inherit it.
        let core = PinnedCore::pin();
        Self {
            _core: Some(core),
            ..set_up()
        }
    }

    /// Runs `prepare` before each run of either side, outside the time and the count of allocations.
    #[must_use]
    pub fn with_preparation(mut self, prepare: impl FnMut() + 'static) -> Self {
        self.preparation = Some(Box::new(prepare));
        self
    }

    /// Measures with another clock than [`Clock::Wall`].
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Runs both sides once and compares their outcomes.
    pub fn check(&mut self) -> Result<(), String> {
        let mut nothing = || ();
        let prepare: &mut dyn FnMut() = match &mut self.preparation {
            Some(prepare) => prepare,
            None => &mut nothing,
        };
        self.sides.check(prepare)
    }

    /// Prepares the next run.
    pub fn prepare(&mut self) {
        if let Some(prepare) = &mut self.preparation {
            prepare();
        }
    }

    /// Runs the peer's side once; [`prepare`](Self::prepare) comes first.
    pub fn run_peer(&mut self) {
        self.sides.run_peer();
    }

    /// Runs our side once; [`prepare`](Self::prepare) comes first.
    pub fn run_ours(&mut self) {
        self.sides.run_ours();
    }
}

impl fmt::Debug for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Comparison")
            .field("operations", &self.operations)
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}

trait Sides {
    fn run_peer(&mut self);
    fn run_ours(&mut self);
    fn check(&mut self, prepare: &mut dyn FnMut()) -> Result<(), String>;
}

struct Pair<P, O, A> {
    peer: P,
    ours: O,
    agree: A,
}

impl<P, O, A, X, Y> Sides for Pair<P, O, A>
where
    P: FnMut() -> X,
    O: FnMut() -> Y,
    A: FnMut(X, Y) -> Result<(), String>,
{
    fn run_peer(&mut self) {
        drop(black_box((self.peer)()));
    }

    fn run_ours(&mut self) {
        drop(black_box((self.ours)()));
    }

    fn check(&mut self, prepare: &mut dyn FnMut()) -> Result<(), String> {
        prepare();
        let peer = (self.peer)();
        prepare();
        (self.agree)(peer, (self.ours)())
    }
}
