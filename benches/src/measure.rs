//! Times sides that take turns.

use crate::comparison::Comparison;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The length of a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Number of rounds; in each, every side runs once, and the first one changes from round to round.
    pub rounds: usize,
    /// Approximate time of one side in one round.
    pub round: Duration,
}

impl Config {
    /// For figures that are published.
    pub const FULL: Self = Self {
        rounds: 25,
        round: Duration::from_millis(40),
    };
    /// The shortest measurement that a budget is judged by.
    pub const QUICK: Self = Self {
        rounds: 15,
        round: Duration::from_millis(8),
    };

    /// Returns [`QUICK`](Self::QUICK) or [`FULL`](Self::FULL).
    pub fn new(quick: bool) -> Self {
        if quick { Self::QUICK } else { Self::FULL }
    }
}

/// The quartiles of one side's rounds, in nanoseconds per operation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quartiles {
    /// The lower quartile.
    pub lower: f64,
    /// The median.
    pub median: f64,
    /// The upper quartile.
    pub upper: f64,
}

impl Quartiles {
    /// Returns the quartiles of `samples`; panics if there are none.
    pub fn new(mut samples: Vec<f64>) -> Self {
        samples.sort_by(f64::total_cmp);
        let at = |quarter: usize| samples[(samples.len() - 1) * quarter / 4];
        Self {
            lower: at(1),
            median: at(2),
            upper: at(3),
        }
    }
}

/// Times both sides of `comparison`: the peer's first, then ours.
pub fn measure(comparison: &mut Comparison, config: Config) -> [Quartiles; 2] {
    let operations = comparison.operations;
    let mut time = |side: usize, runs| {
        let run = [Comparison::run_peer, Comparison::run_ours][side];
        Ok(time_runs(comparison, run, runs))
    };
    let measured = interleave(2, |_| operations, config, &mut time);
    // `time` never fails.
    measured.map_or_else(|_| unreachable!(), |sides| [sides[0], sides[1]])
}

fn time_runs(comparison: &mut Comparison, run: fn(&mut Comparison), runs: u64) -> Duration {
    let clock = comparison.clock;
    if comparison.preparation.is_some() {
        let mut elapsed = Duration::ZERO;
        for _ in 0..runs {
            comparison.prepare();
            elapsed += clock.time(|| run(comparison));
        }
        return elapsed;
    }
    clock.time(|| (0..runs).for_each(|_| run(comparison)))
}

/// Times `sides` sides that take turns in every round, so that a change in the machine's speed hits all of them.
/// `time(side, runs)` returns how long `runs` runs take; each run does `operations(side)` operations.
pub fn interleave(
    sides: usize,
    operations: impl Fn(usize) -> u64,
    config: Config,
    time: &mut dyn FnMut(usize, u64) -> Result<Duration, String>,
) -> Result<Vec<Quartiles>, String> {
    let mut runs = Vec::new();
    for side in 0..sides {
        runs.push(runs_per_round(config.round, |runs| time(side, runs))?);
    }
    let mut samples = vec![Vec::new(); sides];
    for round in 0..config.rounds {
        for turn in 0..sides {
            let side = (round + turn) % sides;
            let elapsed = time(side, runs[side])?;
            let operations = runs[side] * operations(side);
            samples[side].push(elapsed.as_secs_f64() * 1e9 / operations as f64);
        }
    }
    Ok(samples.into_iter().map(Quartiles::new).collect())
}

/// Returns how many runs fill a round; finding out warms the side up.
fn runs_per_round(
    round: Duration,
    mut time: impl FnMut(u64) -> Result<Duration, String>,
) -> Result<u64, String> {
    let mut runs = 1;
    loop {
        let elapsed = time(runs)?;
        if elapsed * 2 >= round {
            let per_run = elapsed.as_secs_f64() / runs as f64;
            return Ok(((round.as_secs_f64() / per_run) as u64).max(1));
        }
        runs *= 2;
    }
}

/// Returns what `count` counts per operation while `run` runs, after a warm-up in which pools fill and buffers grow.
pub fn count_per_operation(
    comparison: &mut Comparison,
    run: fn(&mut Comparison),
    mut count: impl FnMut(&mut dyn FnMut()) -> u64,
) -> f64 {
    const WARM_UP: u64 = 64;
    const COUNTED: u64 = 16;
    for _ in 0..WARM_UP {
        comparison.prepare();
        run(comparison);
    }
    let mut counted = 0;
    for _ in 0..COUNTED {
        comparison.prepare();
        counted += count(&mut || run(comparison));
    }
    counted as f64 / (COUNTED * comparison.operations) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use std::hint::black_box;

    fn spin(steps: u64) -> u64 {
        (0..steps).fold(1, |sum, step| black_box(sum ^ step))
    }

    #[test]
    fn quartiles_are_those_of_the_sorted_samples() {
        let found = Quartiles::new(vec![5.0, 1.0, 4.0, 2.0, 3.0]);
        assert_eq!((found.lower, found.median, found.upper), (2.0, 3.0, 4.0));
    }

    #[test]
    fn sides_take_turns_and_get_runs_that_fill_a_round() {
        let mut order = Vec::new();
        let mut runs_of = [0, 0];
        let per_run = [Duration::from_micros(80), Duration::from_micros(10)];
        let sides = interleave(2, |_| 4, Config::QUICK, &mut |side, runs| {
            order.push(side);
            runs_of[side] = runs;
            Ok(per_run[side] * runs as u32)
        });
        let sides = sides.unwrap();
        for (side, nanos) in [20_000.0, 2500.0].into_iter().enumerate() {
            let Quartiles { lower, upper, .. } = sides[side];
            assert!((lower - nanos).abs() < 1e-6, "{lower}");
            assert!((upper - nanos).abs() < 1e-6, "{upper}");
        }
        assert_eq!(runs_of, [100, 800]);
        assert!(order.ends_with(&[0, 1, 1, 0, 0, 1]), "{order:?}");
    }

    #[test]
    fn preparation_is_not_timed() {
        // The processor's time: other work on the machine does not count.
        let mut comparison = Comparison::new(1, || spin(80_000), || spin(10_000), |_, _| Ok(()))
            .with_clock(Clock::Thread)
            .with_preparation(|| _ = spin(200_000));
        assert_eq!(comparison.check(), Ok(()));
        let config = Config {
            rounds: 5,
            round: Duration::from_millis(2),
        };
        let [peer, ours] = measure(&mut comparison, config);
        let ratio = peer.lower / ours.lower;
        // With the preparation, the ratio would be 1.3.
        assert!((4.0..16.0).contains(&ratio), "{ratio}");
    }
}
