//! What a span costs as it grows: attributes, length of values, depth, spans in flight, threads.
//!
//! Three sides do the same work from a span's start to OTLP bytes in memory, as the rows `trace` do: our native calls, the
//! same provider through OpenTelemetry's traits, and the stock SDK with batch processor and prost. What they send is decoded
//! and compared before anything is measured.

mod attributes;
mod crew;
mod depth;
mod in_flight;
mod length;
mod sides;
mod spans;
mod threads;

use crate::timing::{Effort, Quartiles};
use cpu_time::ProcessTime;
use serde::{Deserialize, Serialize};
pub use sides::Sides;
use std::time::Duration;

/// One quantity that grows.
#[derive(Clone, Copy, Debug)]
pub struct Series {
    /// A word: the name of its picture.
    pub id: &'static str,
    /// What grows.
    pub title: &'static str,
    /// What the values are.
    pub axis: &'static str,
    /// What a span consists of.
    pub work: &'static str,
    /// The values.
    pub values: &'static [u64],
    /// Sets all sides up for a value.
    pub prepare: fn(u64) -> Sides,
}

/// Every series, in the order they are printed.
pub const SERIES: &[Series] = &[
    attributes::SERIES,
    length::SERIES,
    depth::SERIES,
    in_flight::SERIES,
    threads::SERIES,
];

/// The sides, in the order of all their figures.
pub const SIDES: [&str; 3] = ["zerospan native", "zerospan traits", "stock SDK"];

/// What is written to `target/bench/growth.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Growth {
    /// How many rounds the figures are the quartiles of.
    pub rounds: usize,
    /// One for each of [`SERIES`].
    pub series: Vec<Grown>,
}

/// A series that was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grown {
    /// As [`Series::id`].
    pub id: String,
    /// As [`Series::title`].
    pub title: String,
    /// As [`Series::axis`].
    pub axis: String,
    /// As [`Series::work`].
    pub work: String,
    /// One for each value.
    pub points: Vec<Point>,
}

/// What a span costs at one value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The value.
    pub at: u64,
    /// One for each of [`SIDES`].
    pub costs: [Cost; 3],
}

/// What a span costs one side.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Processor time of all threads, nanoseconds: a quarter of the rounds took less.
    pub lower: f64,
    /// Half of the rounds took less.
    pub median: f64,
    /// A quarter of the rounds took more.
    pub upper: f64,
    /// Heap allocations of all threads.
    pub allocations: f64,
}

/// Heap allocations a span, by series, value and side: what the program `growth_allocations` prints.
pub type Allocations = Vec<Vec<[f64; 3]>>;

/// Runs before the count, in which pools fill and buffers grow.
const WARM_UP: u64 = 8;
/// Runs that are counted.
const COUNTED: u64 = 4;

/// Counts the allocations of every series; `count` says how many there are while it runs what it is given.
///
/// # Errors
///
/// Where a side does not do its work.
pub fn allocations(mut count: impl FnMut(&mut dyn FnMut()) -> u64) -> Result<Allocations, String> {
    let mut of_side = |sides: &mut Sides, side| -> Result<f64, String> {
        for _ in 0..WARM_UP {
            sides.run(side)?;
        }
        let mut outcome = Ok(());
        let counted = count(&mut || {
            outcome = (0..COUNTED).try_for_each(|_| sides.run(side));
        });
        outcome?;
        Ok(counted as f64 / (COUNTED * sides.spans()) as f64)
    };
    let mut of_value = |series: &Series, value| -> Result<[f64; 3], String> {
        let mut sides = (series.prepare)(value);
        Ok([
            of_side(&mut sides, 0)?,
            of_side(&mut sides, 1)?,
            of_side(&mut sides, 2)?,
        ])
    };
    let of_series = |series: &Series| {
        let values = series.values.iter();
        values.map(|value| of_value(series, *value)).collect()
    };
    SERIES.iter().map(of_series).collect()
}

/// Measures a series, after comparing what the sides send at each value.
///
/// All values and sides take turns in every round: on a machine whose speed changes from one second to the next, it changes
/// for all of them.
///
/// # Errors
///
/// How the sides differ, or why one failed.
pub fn measure(
    series: &Series,
    effort: Effort,
    allocations: &[[f64; 3]],
) -> Result<Vec<Point>, String> {
    let mut turns = Vec::new();
    for value in series.values {
        let mut sides = (series.prepare)(*value);
        let runs = sides
            .check()
            .and_then(|()| runs_of_all(&mut sides, effort.round))
            .map_err(|reason| format!("{} at {value}: {reason}", series.id))?;
        turns.push(Turn {
            sides,
            runs,
            samples: Default::default(),
        });
    }
    for round in 0..effort.rounds {
        for turn in &mut turns {
            turn.take(round)
                .map_err(|reason| format!("{}: {reason}", series.id))?;
        }
    }
    let costs = turns.into_iter().map(Turn::quartiles);
    let points = series.values.iter().zip(costs).zip(allocations);
    Ok(points
        .map(|((value, quartiles), allocations)| Point {
            at: *value,
            costs: std::array::from_fn(|side| Cost {
                lower: quartiles[side].lower,
                median: quartiles[side].median,
                upper: quartiles[side].upper,
                allocations: allocations[side],
            }),
        })
        .collect())
}

/// One value, as it is measured.
struct Turn {
    sides: Sides,
    runs: [u64; 3],
    samples: [Vec<f64>; 3],
}

impl Turn {
    fn take(&mut self, round: usize) -> Result<(), String> {
        for turn in 0..self.samples.len() {
            // Each begins in turn.
            let side = (round + turn) % self.samples.len();
            let elapsed = time(&mut self.sides, side, self.runs[side])?;
            let spans = self.runs[side] * self.sides.spans();
            self.samples[side].push(elapsed.as_secs_f64() * 1e9 / spans as f64);
        }
        Ok(())
    }

    fn quartiles(self) -> [Quartiles; 3] {
        self.samples.map(|mut samples| Quartiles::of(&mut samples))
    }
}

fn runs_of_all(sides: &mut Sides, round: Duration) -> Result<[u64; 3], String> {
    Ok([
        runs_for(sides, 0, round)?,
        runs_for(sides, 1, round)?,
        runs_for(sides, 2, round)?,
    ])
}

fn time(sides: &mut Sides, side: usize, runs: u64) -> Result<Duration, String> {
    let begun = ProcessTime::now();
    for _ in 0..runs {
        sides.run(side)?;
    }
    Ok(begun.elapsed())
}

/// How many runs of a side fill `round`; finding out warms the side up.
fn runs_for(sides: &mut Sides, side: usize, round: Duration) -> Result<u64, String> {
    time(sides, side, 2)?;
    let mut runs = 1;
    loop {
        let elapsed = time(sides, side, runs)?;
        if elapsed * 2 >= round {
            let per_run = elapsed.as_secs_f64() / runs as f64;
            return Ok(((round.as_secs_f64() / per_run) as u64).max(1));
        }
        runs *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::SERIES;

    #[test]
    fn all_sides_send_the_same_at_either_end_of_every_series() {
        for series in SERIES {
            for value in [series.values.first(), series.values.last()] {
                let value = *value.expect("a series has values");
                if let Err(difference) = (series.prepare)(value).check() {
                    panic!("{} at {value}: {difference}", series.id);
                }
            }
        }
    }
}
