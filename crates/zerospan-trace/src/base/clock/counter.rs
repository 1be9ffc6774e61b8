use super::reading::Reading;
use super::wall::time_of;
use std::cell::Cell;
use std::time::{Duration, Instant, SystemTime};
use zerospan_core::sync::{self, Mutex};
use zerospan_otlp::unix_nanos;

/// The processor's time-stamp counter, anchored to a wall clock.
pub(super) struct Counter {
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
    pub(super) fn new(wall: Box<dyn Fn() -> SystemTime + Send + Sync>) -> Self {
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
    pub(super) fn read(&self, anchor: &Cell<Anchor>) -> Reading {
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
    pub(super) fn unix_since(&self, start: &Reading, anchor: &Cell<Anchor>) -> u64 {
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

/// A reading of the counter and of the wall clock at the same instant.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Anchor {
    pub(super) at: Reading,
    /// The number of ticks for which the anchor is valid; 0 before the first reading.
    lifetime: u64,
}

impl Anchor {
    /// The anchor before the first reading.
    pub(super) const NONE: Self = Self {
        at: Reading {
            unix: 0,
            steady: 0,
            ticks: 0,
        },
        lifetime: 0,
    };
}
