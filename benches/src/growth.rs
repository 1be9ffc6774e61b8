//! The cost of a span as it grows: attributes, length of values, depth, spans in flight, threads.
//!
//! The sides of a series do the same work, from the start of a span to OTLP bytes in memory: our native calls, the same
//! provider through OpenTelemetry's traits, and the official SDK with batch processor and prost; or our layer of `tracing`
//! and `tracing-opentelemetry`. What they send is decoded and compared first.

mod series;

use crate::clock::Clock;
use crate::machine::Machine;
use crate::measure::{Config, Quartiles, interleave};
use crate::pipelines::{OfficialSdk, Outcome, Zerospan};
use crate::rows;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_sdk::trace::SdkTracer;
use serde::{Deserialize, Serialize};
pub use series::SERIES;
use std::fmt;
use zerospan_trace::Tracer;

/// One quantity that grows.
#[derive(Clone, Copy, Debug)]
pub struct Series {
    /// Identifier.
    pub id: &'static str,
    /// The quantity.
    pub axis: &'static str,
    /// The sides, in the order of their figures. The last one is official.
    pub sides: &'static [Side],
    /// The values.
    pub values: &'static [u64],
    /// Sets up all sides for a value.
    pub prepare: fn(u64) -> Sides,
}

/// A way to make spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    /// Our native calls.
    Native,
    /// Ours through OpenTelemetry's traits.
    Traits,
    /// The official SDK.
    Official,
    /// The macros of `tracing` and our layer.
    Layer,
    /// The macros of `tracing` and `tracing-opentelemetry`.
    OfficialLayer,
}

impl Side {
    /// Every side.
    pub const ALL: [Self; 5] = [
        Self::Native,
        Self::Traits,
        Self::Official,
        Self::Layer,
        Self::OfficialLayer,
    ];

    /// Returns the name that figures and the picture show.
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "native calls",
            Self::Traits => "traits",
            Self::Official => "official SDK",
            Self::Layer => "zerospan-tracing",
            Self::OfficialLayer => "tracing-opentelemetry",
        }
    }
}

/// The contents of `target/bench/growth.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Growth {
    /// The measuring machine.
    pub machine: Machine,
    /// Number of rounds.
    pub rounds: usize,
    /// One for each of [`SERIES`].
    pub series: Vec<Measured>,
}

/// A measured series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// As [`Series::id`].
    pub id: String,
    /// As [`Series::axis`].
    pub axis: String,
    /// As [`Series::sides`].
    pub sides: Vec<Side>,
    /// One for each value.
    pub points: Vec<Point>,
}

/// The cost of a span at one value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The value.
    pub at: u64,
    /// One for each side.
    pub costs: Vec<Cost>,
}

/// The cost of a span on one side.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Processor time of all threads.
    pub time: Quartiles,
    /// Heap allocations of all threads.
    pub allocations: f64,
}

/// Heap allocations per span, by series, value and side.
pub type Allocations = Vec<Vec<Vec<f64>>>;

/// The sides of a series at one value, each with its own provider.
pub struct Sides {
    spans: u64,
    sides: Vec<Box<dyn FnMut() -> Outcome>>,
    /// Removes what differs between the sides.
    normalize: fn(&mut Span),
}

impl Sides {
    /// Creates sides that each make `spans` spans in one run.
    fn new(
        spans: u64,
        native: impl FnMut() -> Outcome + 'static,
        traits: impl FnMut() -> Outcome + 'static,
        official: impl FnMut() -> Outcome + 'static,
    ) -> Self {
        Self {
            spans,
            sides: vec![Box::new(native), Box::new(traits), Box::new(official)],
            normalize: |_| (),
        }
    }

    /// Creates the sides that go through `tracing`.
    fn of_tracing(
        spans: u64,
        layer: impl FnMut() -> Outcome + 'static,
        official: impl FnMut() -> Outcome + 'static,
    ) -> Self {
        Self {
            spans,
            sides: vec![Box::new(layer), Box::new(official)],
            normalize: rows::normalize,
        }
    }

    /// Creates sides that do their work `times` times in one run; each time makes `spans_each` spans.
    fn repeat(
        times: u64,
        spans_each: u64,
        mut native: impl FnMut(&Tracer) -> u64 + 'static,
        mut traits: impl FnMut(&Tracer) -> u64 + 'static,
        mut official: impl FnMut(&SdkTracer) -> u64 + 'static,
    ) -> Self {
        let queue = crate::pipelines::QUEUE;
        let (mut first, mut second) = (Zerospan::new(queue), Zerospan::new(queue));
        let mut third = OfficialSdk::new(queue);
        Self::new(
            times * spans_each,
            move || first.run(|tracer| (0..times).map(|_| native(tracer)).sum()),
            move || second.run(|tracer| (0..times).map(|_| traits(tracer)).sum()),
            move || third.run(|tracer| (0..times).map(|_| official(tracer)).sum()),
        )
    }

    fn run(&mut self, side: usize) -> Result<(), String> {
        match (self.sides[side])().delivered()? {
            delivered if delivered == self.spans => Ok(()),
            delivered => Err(format!("delivered {delivered} of {} spans", self.spans)),
        }
    }

    /// Runs every side for the first time and compares what they sent.
    fn check(&mut self) -> Result<(), String> {
        let mut sent = Vec::new();
        for side in &mut self.sides {
            sent.push(side().kinds_but_for(self.normalize)?);
        }
        match sent.split_last() {
            Some((official, ours)) if ours.iter().all(|kinds| kinds == official) => Ok(()),
            _ => Err(format!("the sides send {sent:#?}")),
        }
    }
}

impl fmt::Debug for Sides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sides")
            .field("spans", &self.spans)
            .finish_non_exhaustive()
    }
}

/// Measures `series`, after comparing what the sides send at each value. All values and sides take turns.
pub fn measure(
    series: &Series,
    config: Config,
    allocations: &[Vec<f64>],
) -> Result<Measured, String> {
    let failed = |value, reason| format!("{} at {value}: {reason}", series.id);
    let mut points: Vec<Sides> = Vec::new();
    for &value in series.values {
        let mut sides = (series.prepare)(value);
        sides.check().map_err(|reason| failed(value, reason))?;
        points.push(sides);
    }
    let spans: Vec<u64> = points.iter().map(|sides| sides.spans).collect();
    let sides = series.sides.len();
    let mut time = |index: usize, runs| {
        let (at, side) = (index / sides, index % sides);
        let mut outcome = Ok(());
        let elapsed = Clock::Process.time(|| {
            outcome = (0..runs).try_for_each(|_| points[at].run(side));
        });
        outcome.map_err(|reason| failed(series.values[at], reason))?;
        Ok(elapsed)
    };
    let operations = |index: usize| spans[index / sides];
    let quartiles = interleave(spans.len() * sides, operations, config, &mut time)?;
    let points = series.values.iter().zip(quartiles.chunks(sides));
    let points = points
        .zip(allocations)
        .map(|((&at, quartiles), counts)| Point {
            at,
            costs: std::iter::zip(quartiles, counts)
                .map(|(&time, &allocations)| Cost { time, allocations })
                .collect(),
        });
    Ok(Measured {
        id: series.id.to_owned(),
        axis: series.axis.to_owned(),
        sides: series.sides.to_owned(),
        points: points.collect(),
    })
}

/// Returns what `count` counts per span in every series.
pub fn count(
    series: &[Series],
    mut count: impl FnMut(&mut dyn FnMut()) -> u64,
) -> Result<Allocations, String> {
    const WARM_UP: u64 = 8;
    const COUNTED: u64 = 4;
    let mut allocations = Allocations::new();
    for series in series {
        let mut at_values = Vec::new();
        for &value in series.values {
            let mut sides = (series.prepare)(value);
            let mut per_span = vec![0.0; series.sides.len()];
            for (side, per_span) in per_span.iter_mut().enumerate() {
                (0..WARM_UP).try_for_each(|_| sides.run(side))?;
                let mut outcome = Ok(());
                let mut run = || outcome = (0..COUNTED).try_for_each(|_| sides.run(side));
                let counted = count(&mut run);
                outcome?;
                *per_span = counted as f64 / (COUNTED * sides.spans) as f64;
            }
            at_values.push(per_span);
        }
        allocations.push(at_values);
    }
    Ok(allocations)
}

#[cfg(test)]
mod tests {
    use super::SERIES;

    /// More take long in a build without optimisation.
    const MANY: u64 = 10_000;

    #[test]
    fn all_sides_send_the_same_at_a_small_and_a_large_value_of_every_series() {
        for series in SERIES {
            let large = series.values.iter().rfind(|value| **value <= MANY);
            for value in [series.values.first(), large] {
                let value = *value.expect("a series has values");
                if let Err(difference) = (series.prepare)(value).check() {
                    panic!("{} at {value}: {difference}", series.id);
                }
            }
        }
    }
}
