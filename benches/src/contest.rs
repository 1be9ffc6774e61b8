use crate::one_core::OneCore;
use std::fmt;
use std::hint::black_box;

/// One promise: an identifier, who is compared, and how much better ours must be.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The area and the name, with a dot between: `otlp.encode`.
    pub id: &'static str,
    /// What the peer's side is, in a few words.
    pub peer: &'static str,
    /// What our side is, in a few words.
    pub ours: &'static str,
    /// What the ratio must be.
    pub budget: Budget,
    /// The heap allocations that our side may make for each operation; `None` where the row promises none of it.
    pub allocations: Option<f64>,
    /// Sets both sides up.
    pub prepare: fn() -> Contest,
}

/// What a row's ratio must be. The ratio is the peer's median time divided by ours: above 1, ours is faster.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Budget {
    /// Ours is at least this many times as fast as the peer.
    AtLeast(f64),
    /// Ours takes at most this many times as long as the peer: for growth, and for the distance to a limit.
    AtMost(f64),
    /// The row is about allocations, and its times are only shown.
    Allocations,
}

impl Budget {
    /// The figure that is held against the budget.
    pub fn figure(self, peer_ns: f64, ours_ns: f64) -> f64 {
        match self {
            Self::AtLeast(_) | Self::Allocations => peer_ns / ours_ns,
            Self::AtMost(_) => ours_ns / peer_ns,
        }
    }

    /// The same promise with another figure.
    pub fn relaxed_to(self, bound: f64) -> Self {
        match self {
            Self::AtLeast(_) => Self::AtLeast(bound),
            Self::AtMost(_) => Self::AtMost(bound),
            Self::Allocations => Self::Allocations,
        }
    }

    /// Whether `figure` is within the budget.
    pub fn is_met_by(self, figure: f64) -> bool {
        match self {
            Self::AtLeast(least) => figure >= least,
            Self::AtMost(most) => figure <= most,
            Self::Allocations => true,
        }
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(least) => write!(f, ">= {least}"),
            Self::AtMost(most) => write!(f, "<= {most}"),
            Self::Allocations => f.write_str("0 allocs"),
        }
    }
}

/// Which time counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// Elapsed time: for work on one thread.
    #[default]
    Wall,
    /// The processor time of all threads: for pipelines that work elsewhere as well.
    Process,
    /// The processor time of the calling thread: what the caller pays while others work.
    Thread,
}

/// The two sides of a row, over the same work.
pub struct Contest {
    operations: u64,
    clock: Clock,
    sides: Box<dyn Sides>,
    /// Dropped after the sides, whose threads end on it.
    _core: Option<OneCore>,
}

impl Contest {
    /// Sets up a contest whose threads all run on one core, for [`Clock::Process`]: on two, what a wake and memory that
    /// another core holds cost depends on where threads happen to be put, and drowns the work that is compared.
    pub fn on_one_core(set_up: impl FnOnce() -> Self) -> Self {
        // Before the sides start their threads, which inherit it.
        let core = OneCore::stay();
        Self {
            _core: Some(core),
            ..set_up()
        }
    }

    /// Sets up a contest. Each closure does the work of `operations` operations and returns what came of it; `agree`
    /// reads both outcomes, decoded as far as it takes, and says how they differ where they do.
    ///
    /// Outcomes are dropped within the timing, on both sides.
    pub fn new<P, O>(
        operations: u64,
        peer: impl FnMut() -> P + 'static,
        ours: impl FnMut() -> O + 'static,
        agree: impl FnMut(P, O) -> Result<(), String> + 'static,
    ) -> Self {
        Self {
            operations,
            clock: Clock::Wall,
            sides: Box::new(Pair { peer, ours, agree }),
            _core: None,
        }
    }

    /// Sets up a contest whose sides use something up: `prepare` makes it for either side before each run, outside the
    /// timing and the count of allocations. Otherwise as [`new`](Self::new).
    pub fn with_preparation<I: 'static, P, O>(
        operations: u64,
        prepare: impl FnMut() -> I + 'static,
        mut peer: impl FnMut(I) -> P + 'static,
        mut ours: impl FnMut(I) -> O + 'static,
        agree: impl FnMut(P, O) -> Result<(), String> + 'static,
    ) -> Self {
        Self {
            operations,
            clock: Clock::Wall,
            sides: Box::new(Prepared {
                prepare,
                ready: None,
                peer: move |ready: Option<I>| ready.map(&mut peer),
                ours: move |ready: Option<I>| ready.map(&mut ours),
                agree,
            }),
            _core: None,
        }
    }

    /// Counts another time than the elapsed one.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Runs both sides once and holds their outcomes against each other.
    ///
    /// # Errors
    ///
    /// How the outcomes differ.
    pub fn check(&mut self) -> Result<(), String> {
        self.sides.check()
    }

    /// Whether a side has to be made ready before each run.
    pub fn has_preparation(&self) -> bool {
        self.sides.has_preparation()
    }

    /// Makes the next run ready, outside of what is measured.
    pub fn prepare(&mut self) {
        self.sides.prepare();
    }

    /// Runs the peer's side once, after [`prepare`](Self::prepare) where it has to be.
    pub fn run_peer(&mut self) {
        self.sides.peer();
    }

    /// Runs our side once, after [`prepare`](Self::prepare) where it has to be.
    pub fn run_ours(&mut self) {
        self.sides.ours();
    }

    /// How many operations one run of a side does.
    pub fn operations(&self) -> u64 {
        self.operations
    }

    /// Which time counts.
    pub fn clock(&self) -> Clock {
        self.clock
    }
}

impl fmt::Debug for Contest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contest")
            .field("operations", &self.operations)
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}

trait Sides {
    fn has_preparation(&self) -> bool {
        false
    }
    fn prepare(&mut self) {}
    fn peer(&mut self);
    fn ours(&mut self);
    fn check(&mut self) -> Result<(), String>;
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
    fn peer(&mut self) {
        drop(black_box((self.peer)()));
    }

    fn ours(&mut self) {
        drop(black_box((self.ours)()));
    }

    fn check(&mut self) -> Result<(), String> {
        (self.agree)((self.peer)(), (self.ours)())
    }
}

struct Prepared<I, M, P, O, A> {
    prepare: M,
    ready: Option<I>,
    peer: P,
    ours: O,
    agree: A,
}

impl<I, M, P, O, A, X, Y> Sides for Prepared<I, M, P, O, A>
where
    M: FnMut() -> I,
    P: FnMut(Option<I>) -> Option<X>,
    O: FnMut(Option<I>) -> Option<Y>,
    A: FnMut(X, Y) -> Result<(), String>,
{
    fn has_preparation(&self) -> bool {
        true
    }

    fn prepare(&mut self) {
        self.ready = Some((self.prepare)());
    }

    fn peer(&mut self) {
        drop(black_box((self.peer)(black_box(self.ready.take()))));
    }

    fn ours(&mut self) {
        drop(black_box((self.ours)(black_box(self.ready.take()))));
    }

    fn check(&mut self) -> Result<(), String> {
        let peer = (self.peer)(Some((self.prepare)()));
        let ours = (self.ours)(Some((self.prepare)()));
        match (peer, ours) {
            (Some(peer), Some(ours)) => (self.agree)(peer, ours),
            _ => Err("a side did not run".to_owned()),
        }
    }
}
