use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use zerospan_core::log::LogLimit;
use zerospan_core::panics;
use zerospan_core::sync::{self, Mutex, OnceBox};
use zerospan_otlp::unix_nanos;
use zerospan_pool::thread_states::OwnerId;

/// The source of a provider's timestamps.
///
/// A span reads it twice. A read takes about 8 ns from the processor's time-stamp counter and 18 ns from the system's clock.
/// Cloning copies a pointer.
///
/// With every source, a span ends at its start plus the elapsed time, so it never ends before it started, even if the wall
/// clock is set back meanwhile.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    Counter(Arc<Counter>),
    Wall(Arc<dyn Fn() -> SystemTime + Send + Sync>),
}

impl Clock {
    /// Uses the processor's invariant time-stamp counter, anchored to the system's clock at least once a second: the
    /// default.
    ///
    /// Uses the system's monotonic clock where the processor has no such counter. The first clock of a process calibrates
    /// the counter, which takes about 1 ms, at most 200.
    pub fn counter() -> Self {
        static SHARED: OnceBox<Arc<Counter>> = OnceBox::new();
        let shared = SHARED.get_or_init(|| Arc::new(Counter::new(Box::new(SystemTime::now))));
        Self(Source::Counter(Arc::clone(shared)))
    }

    /// Uses the counter, anchored to the wall clock `wall`: for simulations, and for tests of clocks that drift or are set.
    ///
    /// Calls `wall` at most four times a second and thread, never under a lock.
    pub fn counter_anchored_to(wall: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Source::Counter(Arc::new(Counter::new(Box::new(wall)))))
    }

    /// Reads the system's clock for every timestamp.
    pub fn system() -> Self {
        Self::from_fn(SystemTime::now)
    }

    /// Calls `wall` for every timestamp.
    pub fn from_fn(wall: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Source::Wall(Arc::new(wall)))
    }

    /// Reads the clock. `anchor` belongs to this clock and the calling thread.
    #[inline(always)]
    pub(crate) fn read(&self, anchor: &Cell<Anchor>) -> Reading {
        match &self.0 {
            Source::Counter(counter) => counter.read(anchor),
            Source::Wall(wall) => read_wall(&**wall),
        }
    }

    /// Returns the time in nanoseconds since 1970: that of `start`, an earlier reading of this clock, plus the elapsed time.
    #[inline(always)]
    pub(crate) fn unix_since(&self, start: &Reading, anchor: &Cell<Anchor>) -> u64 {
        match &self.0 {
            Source::Counter(counter) => counter.unix_since(start, anchor),
            Source::Wall(wall) => start.unix_at(read_wall(&**wall)),
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::counter()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::Counter(_) => "Clock(counter)",
            Source::Wall(_) => "Clock(wall)",
        })
    }
}

#[inline(never)]
fn read_wall(wall: &dyn Fn() -> SystemTime) -> Reading {
    let unix = unix_nanos(time_of(wall));
    Reading {
        unix,
        steady: unix,
        ticks: 0,
    }
}

/// Calls a wall clock, which may be the user's. Returns the system's time if it panics: a span may be ending.
#[inline]
fn time_of(wall: &dyn Fn() -> SystemTime) -> SystemTime {
    panics::catch(wall).unwrap_or_else(|message| {
        static WARNING: LogLimit = LogLimit::new();
        WARNING.log(move |skipped| {
            tracing::error!(
                name: "ClockPanicked",
                skipped,
                message,
                "a clock panicked: the system's takes its place; logged once a minute, with the number of panics skipped"
            );
        });
        SystemTime::now()
    })
}

/// One reading of a clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// The wall-clock time in nanoseconds since 1970.
    pub(crate) unix: u64,
    /// Nanoseconds on a time line that nobody sets: two readings differ by the elapsed time.
    steady: u64,
    /// The counter's value, if the clock has a counter.
    ticks: u64,
}

impl Reading {
    /// Returns the reading for a time that the caller names.
    #[inline]
    pub(crate) fn given(unix: u64) -> Self {
        Self {
            unix,
            ..Self::default()
        }
    }

    /// Returns nanoseconds on a time line that nobody sets.
    #[inline]
    pub(crate) fn steady(self) -> u64 {
        self.steady
    }

    /// Returns this reading's wall-clock time plus the time elapsed until `later`.
    #[inline]
    pub(crate) fn unix_at(self, later: Self) -> u64 {
        self.unix
            .saturating_add(later.steady.saturating_sub(self.steady))
    }
}

/// Reads a provider's clock on one thread, for callers without a span to anchor it.
#[derive(Debug, Default)]
pub struct ClockReader {
    anchor: Cell<Anchor>,
    owner: Cell<Option<OwnerId>>,
}

impl ClockReader {
    /// Creates a reader that has read no clock.
    pub const fn new() -> Self {
        Self {
            anchor: Cell::new(Anchor::NONE),
            owner: Cell::new(None),
        }
    }

    /// Returns the time by `clock`, which is the clock of `owner`, in nanoseconds since 1970.
    #[inline]
    pub fn unix_nanos(&self, owner: OwnerId, clock: &Clock) -> u64 {
        if self.owner.get() != Some(owner) {
            self.anchor.set(Anchor::NONE);
            self.owner.set(Some(owner));
        }
        clock.read(&self.anchor).unix
    }
}

/// A reading of the counter and of the wall clock at the same instant.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Anchor {
    at: Reading,
    /// The number of ticks for which the anchor is valid; 0 before the first reading.
    lifetime: u64,
}

impl Anchor {
    /// The anchor before the first reading.
    const NONE: Self = Self {
        at: Reading {
            unix: 0,
            steady: 0,
            ticks: 0,
        },
        lifetime: 0,
    };
}

struct Counter {
    counter: quanta::Clock,
    wall: Box<dyn Fn() -> SystemTime + Send + Sync>,
    started: Instant,
    /// Nanoseconds per tick, times 2^32: converting takes one multiplication, where the counter's own conversion also shifts
    /// by a variable amount.
    rate: u64,
    /// The number of ticks in [`ANCHOR_LIFETIME`].
    lifetime: u64,
    shared: Mutex<Anchor>,
}

const ANCHOR_LIFETIME: Duration = Duration::from_secs(1);

impl Counter {
    fn new(wall: Box<dyn Fn() -> SystemTime + Send + Sync>) -> Self {
        let counter = quanta::Clock::new();
        // The crate converts ticks to nanoseconds only: 10^12 ticks yield the rate with twelve digits.
        let nanos = counter.delta_as_nanos(1, 1_000_000_000_001).max(1);
        let lifetime = (ANCHOR_LIFETIME.as_nanos() * 1_000_000_000_000 / u128::from(nanos)) as u64;
        let rate = ((u128::from(nanos) << 32) / 1_000_000_000_000) as u64;
        Self {
            counter,
            wall,
            started: Instant::now(),
            rate,
            lifetime,
            shared: Mutex::default(),
        }
    }

    #[inline(always)]
    fn read(&self, anchor: &Cell<Anchor>) -> Reading {
        let ticks = self.counter.raw();
        let current = anchor.get();
        // A counter that ran backwards wraps to a huge age, and gets a new anchor too.
        if ticks.wrapping_sub(current.at.ticks) >= current.lifetime {
            return self.read_with_new_anchor(anchor);
        }
        self.reading_at(ticks, current)
    }

    /// Reads the counter alone while the elapsed time is shorter than an anchor's lifetime.
    #[inline(always)]
    fn unix_since(&self, start: &Reading, anchor: &Cell<Anchor>) -> u64 {
        let elapsed = self.counter.raw().wrapping_sub(start.ticks);
        if elapsed >= self.lifetime {
            return self.unix_long_since(start, anchor);
        }
        start.unix.saturating_add(self.nanos(elapsed))
    }

    #[cold]
    fn unix_long_since(&self, start: &Reading, anchor: &Cell<Anchor>) -> u64 {
        start.unix_at(self.read(anchor))
    }

    #[inline(always)]
    fn reading_at(&self, ticks: u64, anchor: Anchor) -> Reading {
        // Saturates, since the counters of two processors may differ a little.
        let since = self.nanos(ticks.saturating_sub(anchor.at.ticks));
        Reading {
            unix: anchor.at.unix.saturating_add(since),
            steady: anchor.at.steady.saturating_add(since),
            ticks,
        }
    }

    #[inline(always)]
    fn nanos(&self, ticks: u64) -> u64 {
        ((u128::from(ticks) * u128::from(self.rate)) >> 32) as u64
    }

    /// Takes the anchor of another thread if it is valid, and makes one otherwise.
    #[cold]
    fn read_with_new_anchor(&self, anchor: &Cell<Anchor>) -> Reading {
        // Only tries the lock: in a forked child it may stay locked.
        let shared = sync::try_lock(&self.shared).map(|shared| *shared);
        let shared = shared.unwrap_or_default();
        let ticks = self.counter.raw();
        let current = if ticks.wrapping_sub(shared.at.ticks) < shared.lifetime {
            shared
        } else {
            // Outside the lock, since the wall clock is user code. If threads race, the last anchor stays.
            let new = self.make_anchor();
            if let Some(mut shared) = sync::try_lock(&self.shared) {
                *shared = new;
            }
            new
        };
        anchor.set(current);
        self.reading_at(self.counter.raw(), current)
    }

    /// Reads counter and clocks together. Keeps the narrowest of a few attempts, since the thread may be suspended between
    /// two reads.
    fn make_anchor(&self) -> Anchor {
        const ATTEMPTS: usize = 4;
        let mut best = Anchor::default();
        let mut narrowest = u64::MAX;
        for _ in 0..ATTEMPTS {
            let before = self.counter.raw();
            let wall = time_of(&*self.wall);
            let steady = self.started.elapsed();
            let after = self.counter.raw();
            let width = after.wrapping_sub(before);
            if width < narrowest {
                narrowest = width;
                best = Anchor {
                    at: Reading {
                        unix: unix_nanos(wall),
                        steady: steady.as_nanos() as u64,
                        ticks: before.wrapping_add(width / 2),
                    },
                    lifetime: self.lifetime,
                };
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::UNIX_EPOCH;

    const MILLISECOND: u64 = 1_000_000;

    fn distance_to_system(clock: &Clock, anchor: &Cell<Anchor>) -> u64 {
        let before = unix_nanos(SystemTime::now());
        let read = clock.read(anchor).unix;
        let after = unix_nanos(SystemTime::now());
        before.saturating_sub(read).max(read.saturating_sub(after))
    }

    #[test]
    fn the_counter_stays_within_a_millisecond_of_the_system_across_anchor_changes() {
        let clock = Clock::counter();
        let anchor = Cell::default();
        let started = Instant::now();
        let mut anchors = std::collections::BTreeSet::new();
        while started.elapsed() < Duration::from_millis(2_200) {
            // The smallest of three, since this thread may be suspended between two reads.
            let distance = (0..3)
                .map(|_| distance_to_system(&clock, &anchor))
                .min()
                .unwrap_or(u64::MAX);
            assert!(distance < MILLISECOND, "{distance} ns apart");
            anchors.insert(anchor.get().at.ticks);
            std::thread::sleep(Duration::from_millis(7));
        }
        assert!(anchors.len() >= 3, "{} anchors in 2.2 s", anchors.len());
    }

    #[test]
    fn a_step_of_the_wall_clock_is_followed_within_a_second_and_never_bends_a_span() {
        let offset = Arc::new(AtomicU64::new(1_000_000 * 1_000_000_000));
        let source = Arc::clone(&offset);
        let clock = Clock::counter_anchored_to(move || {
            UNIX_EPOCH + Duration::from_nanos(source.load(Ordering::Relaxed))
        });
        let anchor = Cell::default();
        let start = clock.read(&anchor);
        let hour = 3_600 * 1_000_000_000;
        offset.fetch_sub(hour, Ordering::Relaxed);
        let began = Instant::now();
        let mut last = 0;
        loop {
            let now = clock.read(&anchor);
            let end = start.unix_at(now);
            assert!(end >= start.unix, "a span ended before it started");
            let elapsed = began.elapsed().as_nanos() as u64;
            assert!(end - start.unix <= elapsed + 50 * MILLISECOND);
            last = last.max(end);
            if now.unix < start.unix {
                assert!(elapsed >= 900 * MILLISECOND, "the step came too early");
                break;
            }
            assert!(elapsed < 1_500 * MILLISECOND, "the step was not followed");
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(last - start.unix >= 900 * MILLISECOND);
    }

    #[test]
    fn counter_and_anchors_agree_on_the_elapsed_time() {
        let clock = Clock::counter();
        let anchor = Cell::default();
        let start = clock.read(&anchor);
        for wait in [0, 1, 20, 1_100, 1_100] {
            std::thread::sleep(Duration::from_millis(wait));
            let by_anchors = start.unix_at(clock.read(&anchor));
            let by_counter = clock.unix_since(&start, &anchor);
            let again = start.unix_at(clock.read(&anchor));
            let off = 10_000;
            assert!(by_anchors <= by_counter + off, "{by_anchors} {by_counter}");
            assert!(by_counter <= again + off, "{by_counter} {again}");
        }
    }

    #[test]
    fn threads_share_one_anchor() {
        let calls = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&calls);
        let clock = Clock::counter_anchored_to(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            SystemTime::now()
        });
        clock.read(&Cell::default());
        let made = calls.load(Ordering::Relaxed);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| clock.read(&Cell::default()));
            }
        });
        // A slow machine may set one more anchor, for all threads.
        assert!(calls.load(Ordering::Relaxed) <= 2 * made);
    }

    #[test]
    fn a_wall_clock_set_back_does_not_end_a_span_before_its_start() {
        let times = Arc::new(AtomicU64::new(1_000));
        let source = Arc::clone(&times);
        let clock = Clock::from_fn(move || {
            UNIX_EPOCH + Duration::from_nanos(source.load(Ordering::Relaxed))
        });
        let start = clock.read(&Cell::default());
        times.store(10, Ordering::Relaxed);
        assert_eq!(start.unix_at(clock.read(&Cell::default())), 1_000);
    }
}
