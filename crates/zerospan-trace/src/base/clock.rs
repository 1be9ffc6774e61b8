//! Clocks: the processor's counter or a wall clock.

mod counter;
mod reader;
mod reading;
mod wall;

pub(crate) use counter::Anchor;
pub use reader::ClockReader;
pub(crate) use reading::Reading;

use counter::Counter;
use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;
use wall::read_wall;
use zerospan_core::sync::OnceBox;

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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::{Duration, Instant, UNIX_EPOCH};
    use zerospan_otlp::unix_nanos;

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
        // One for the first reading, and one for each second; more where the counters of two processors differ.
        while anchors.len() < 3 && started.elapsed() < Duration::from_secs(6) {
            // The smallest of three, since this thread may be suspended between two reads.
            let distance = (0..3)
                .map(|_| distance_to_system(&clock, &anchor))
                .min()
                .unwrap_or(u64::MAX);
            assert!(distance < MILLISECOND, "{distance} ns apart");
            anchors.insert(anchor.get().at.ticks);
            std::thread::sleep(Duration::from_millis(7));
        }
        assert!(anchors.len() >= 3, "{} anchors", anchors.len());
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
            let asked = began.elapsed().as_nanos() as u64;
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
            assert!(asked < 1_500 * MILLISECOND, "the step was not followed");
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
