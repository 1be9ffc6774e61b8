//! The results of one crate, from the reports of cargo-mutants.

use anyhow::{Context, bail};
use serde::Deserialize;
use std::fmt;

/// The part of cargo-mutants' report that is read.
#[derive(Debug, Deserialize)]
struct Report {
    outcomes: Vec<Outcome>,
}

#[derive(Debug, Deserialize)]
struct Outcome {
    scenario: Scenario,
    summary: String,
    #[serde(default)]
    phase_results: Vec<PhaseResult>,
}

/// The building or the testing of a mutant.
#[derive(Debug, Deserialize)]
struct PhaseResult {
    phase: String,
    duration: f64,
}

#[derive(Debug, Deserialize)]
enum Scenario {
    Baseline,
    Mutant { name: String },
}

/// The part of a report that its row does not hold.
#[derive(Debug, Default)]
pub(super) struct Added {
    /// The mutants that the stage has missed.
    pub(super) missed: Vec<String>,
    /// The seconds that the tests took without a mutant, if they were run so.
    pub(super) seconds_without: Option<f64>,
}

/// The results of one crate.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) name: String,
    /// The number of all mutants of the crate, of which a sample is tested.
    all: usize,
    caught: u64,
    timeout: u64,
    unviable: u64,
    pub(super) missed: Vec<String>,
    pub(super) seconds: u64,
}

pub(super) const HEADER: &str = "crate                    of  tested  unviable  caught  timed out  not caught  caught of viable  seconds";

impl Row {
    /// Returns the row of a crate with `all` mutants, of which none is tested yet.
    pub(super) fn new(name: &str, all: usize) -> Self {
        Self {
            name: name.to_owned(),
            all,
            ..Self::default()
        }
    }

    /// Adds the report of a stage to the counts. The mutants that it has missed are not counted: they meet the next stage. Only those
    /// `wanted` count; all, if there are none.
    ///
    /// # Errors
    ///
    /// If the tests fail without a mutant, or a result is unknown.
    pub(super) fn add(&mut self, report: &str, wanted: &[String]) -> anyhow::Result<Added> {
        let report: Report =
            serde_json::from_str(report).context("the report of cargo-mutants cannot be read")?;
        let mut added = Added::default();
        for Outcome {
            scenario,
            summary,
            phase_results,
        } in report.outcomes
        {
            if let Scenario::Mutant { name } = &scenario
                && !wanted.is_empty()
                && !wanted.contains(name)
            {
                continue;
            }
            match (scenario, &*summary) {
                (Scenario::Baseline, "Success") => {
                    let test = phase_results.iter().find(|it| it.phase == "Test");
                    added.seconds_without = Some(test.map_or(0.0, |it| it.duration));
                }
                (Scenario::Baseline, _) => bail!("{}: the tests fail without a mutant", self.name),
                (Scenario::Mutant { .. }, "CaughtMutant") => self.caught += 1,
                (Scenario::Mutant { .. }, "Timeout") => self.timeout += 1,
                (Scenario::Mutant { .. }, "Unviable") => self.unviable += 1,
                (Scenario::Mutant { name }, "MissedMutant") => added.missed.push(name),
                (Scenario::Mutant { name }, other) => {
                    bail!("{name}: cargo-mutants reports `{other}`")
                }
            }
        }
        Ok(added)
    }

    fn viable(&self) -> u64 {
        self.caught + self.timeout + self.missed.len() as u64
    }

    /// Returns the share of the viable ones that is caught, rounded down. A test that hangs has noticed the mutant too.
    pub(super) fn percent(&self) -> u64 {
        ((self.caught + self.timeout) * 100)
            .checked_div(self.viable())
            .unwrap_or(100)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            all,
            caught,
            timeout,
            unviable,
            missed,
            seconds,
        } = self;
        write!(
            f,
            "{name:<20} {all:>6} {:>7} {unviable:>9} {caught:>7} {timeout:>10} {:>11} {:>15} % {seconds:>8}",
            self.viable() + unviable,
            missed.len(),
            self.percent()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"{"outcomes": [
        {"scenario": "Baseline", "summary": "Success", "log_path": "log/baseline.log"},
        {"scenario": {"Mutant": {"name": "a.rs:1:1: replace + with -"}}, "summary": "CaughtMutant"},
        {"scenario": {"Mutant": {"name": "a.rs:2:1: replace < with <="}}, "summary": "MissedMutant"},
        {"scenario": {"Mutant": {"name": "a.rs:3:1: replace -> u8 with 0"}}, "summary": "Timeout"},
        {"scenario": {"Mutant": {"name": "a.rs:4:1: replace -> T"}}, "summary": "Unviable"}
    ]}"#;

    #[test]
    fn each_mutant_of_a_report_is_counted_by_its_outcome() {
        let mut row = Row::default();
        for _ in 0..2 {
            let Added { missed, .. } = row.add(REPORT, &[]).unwrap();
            assert_eq!(missed, ["a.rs:2:1: replace < with <="]);
            row.missed.extend(missed);
        }
        assert_eq!((row.caught, row.timeout, row.unviable), (2, 2, 2));
        assert_eq!(row.percent(), 66);
    }

    #[test]
    fn in_a_later_stage_only_the_mutants_that_it_was_given_count() {
        let wanted = ["a.rs:1:1: replace + with -".to_owned()];
        let mut row = Row::default();
        let Added { missed, .. } = row.add(REPORT, &wanted).unwrap();
        assert_eq!(missed, [""; 0]);
        assert_eq!((row.caught, row.timeout, row.unviable), (1, 0, 0));
    }

    #[test]
    fn tests_that_fail_without_a_mutant_are_an_error() {
        let report = REPORT.replace("Success", "Failure");
        let result = Row::default().add(&report, &[]);
        let error = result.unwrap_err().to_string();
        assert!(error.contains("fail without a mutant"), "{error}");
    }

    #[test]
    fn the_time_without_a_mutant_is_that_of_the_tests() {
        let phases = r#""summary": "Success", "phase_results": [
            {"phase": "Build", "duration": 500.0}, {"phase": "Test", "duration": 1.5}]"#;
        let report = REPORT.replacen(r#""summary": "Success""#, phases, 1);
        let added = Row::default().add(&report, &[]).unwrap();
        assert_eq!(added.seconds_without, Some(1.5));
    }

    #[test]
    fn a_result_that_is_unknown_is_an_error() {
        let report = REPORT.replace("Unviable", "Success");
        assert!(Row::default().add(&report, &[]).is_err());
    }
}
