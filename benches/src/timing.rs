use crate::{Clock, Contest};
use cpu_time::{ProcessTime, ThreadTime};
use std::time::{Duration, Instant};

/// How long a row is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// How many rounds; in each, both sides run once, and take turns in running first.
    pub rounds: usize,
    /// How long one side runs in one round, about.
    pub round: Duration,
}

impl Effort {
    /// The effort whose figures are quoted.
    pub const FULL: Self = Self {
        rounds: 25,
        round: Duration::from_millis(40),
    };
    /// The least effort that a budget is judged by.
    pub const QUICK: Self = Self {
        rounds: 15,
        round: Duration::from_millis(8),
    };
}

/// The lower quartile, the median and the upper quartile of one side's rounds, in nanoseconds per operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quartiles {
    /// A quarter of the rounds were faster.
    pub lower: f64,
    /// Half of the rounds were faster.
    pub median: f64,
    /// A quarter of the rounds were slower.
    pub upper: f64,
}

impl Quartiles {
    /// The quartiles of `samples`, which it sorts.
    ///
    /// # Panics
    ///
    /// If there are no samples.
    pub fn of(samples: &mut [f64]) -> Self {
        samples.sort_by(f64::total_cmp);
        let at = |quarter: usize| samples[(samples.len() - 1) * quarter / 4];
        Self {
            lower: at(1),
            median: at(2),
            upper: at(3),
        }
    }
}

/// The times of both sides of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timing {
    /// The peer's side.
    pub peer: Quartiles,
    /// Our side.
    pub ours: Quartiles,
}

impl Timing {
    /// Times both sides of `contest`, interleaved, after a warm-up that also finds how often a side must run to fill a
    /// round.
    pub fn of(contest: &mut Contest, effort: Effort) -> Self {
        let peer_runs = runs_for(contest, Contest::run_peer, effort.round);
        let ours_runs = runs_for(contest, Contest::run_ours, effort.round);
        let (mut peer, mut ours) = (Vec::new(), Vec::new());
        for round in 0..effort.rounds {
            if round % 2 == 0 {
                peer.push(sample(contest, Contest::run_peer, peer_runs));
                ours.push(sample(contest, Contest::run_ours, ours_runs));
            } else {
                ours.push(sample(contest, Contest::run_ours, ours_runs));
                peer.push(sample(contest, Contest::run_peer, peer_runs));
            }
        }
        Self {
            peer: Quartiles::of(&mut peer),
            ours: Quartiles::of(&mut ours),
        }
    }
}

/// Nanoseconds per operation over `runs` runs of a side.
fn sample(contest: &mut Contest, run: fn(&mut Contest), runs: u64) -> f64 {
    let elapsed = time(contest, run, runs);
    elapsed.as_secs_f64() * 1e9 / (runs * contest.operations()) as f64
}

fn time(contest: &mut Contest, run: fn(&mut Contest), runs: u64) -> Duration {
    if contest.has_preparation() {
        let mut elapsed = Duration::ZERO;
        for _ in 0..runs {
            contest.prepare();
            elapsed += watch(contest, run, 1);
        }
        return elapsed;
    }
    watch(contest, run, runs)
}

/// Reads no clock but the one that counts: a run may be as short as a call to the system.
fn watch(contest: &mut Contest, run: fn(&mut Contest), runs: u64) -> Duration {
    let clock = contest.clock();
    let mut repeat = || {
        for _ in 0..runs {
            run(contest);
        }
    };
    match clock {
        Clock::Wall => {
            let begun = Instant::now();
            repeat();
            begun.elapsed()
        }
        Clock::Process => {
            let begun = ProcessTime::now();
            repeat();
            begun.elapsed()
        }
        Clock::Thread => {
            let begun = ThreadTime::now();
            repeat();
            begun.elapsed()
        }
    }
}

/// How many runs of a side fill `round`; finding out warms the side up.
fn runs_for(contest: &mut Contest, run: fn(&mut Contest), round: Duration) -> u64 {
    let mut runs = 1;
    loop {
        let elapsed = time(contest, run, runs);
        if elapsed * 2 >= round {
            let per_run = elapsed.as_secs_f64() / runs as f64;
            return ((round.as_secs_f64() / per_run) as u64).max(1);
        }
        runs *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hint::black_box;

    fn spin(steps: u64) -> u64 {
        (0..steps).fold(1, |sum, step| black_box(sum ^ step))
    }

    #[test]
    fn quartiles_are_those_of_the_sorted_samples() {
        let quartiles = Quartiles::of(&mut [5.0, 1.0, 4.0, 2.0, 3.0]);
        assert_eq!(
            quartiles,
            Quartiles {
                lower: 2.0,
                median: 3.0,
                upper: 4.0
            }
        );
    }

    #[test]
    fn what_a_run_uses_up_is_made_outside_the_timing() {
        let mut contest = Contest::with_preparation(
            1,
            || spin(200_000),
            |ready| ready ^ spin(80_000),
            |ready| ready ^ spin(10_000),
            |_, _| Ok(()),
        );
        assert_eq!(contest.check(), Ok(()));
        let timing = Timing::of(&mut contest, Effort::QUICK);
        let ratio = timing.peer.median / timing.ours.median;
        // Were it within the timing, the ratio would be 1.3.
        assert!((4.0..16.0).contains(&ratio), "{ratio}");
    }
}
