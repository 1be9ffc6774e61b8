//! Changes one expression of the code at a time, and reports the changes that no test notices.
//!
//! The changes are made in a clone below `target/`, so that the sources stay as they are, and what is built there serves the next run.

use crate::cargo::{
    announce, cargo, ensure_subcommand, line, output, published, root, run, succeeds,
};
use anyhow::{Context, bail};
use clap::Args;
use serde::Deserialize;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Every tenth mutant of a crate is a sample. Ten samples are all of them.
const SAMPLES: u64 = 10;
/// The parts in which a sample is tested. The time is looked at after each; each is spread over the whole crate.
const PARTS: u64 = 10;
/// The share of a crate's mutants that its tests must catch, in percent.
const GOAL: u64 = 90;

/// Change the code in one place at a time, and report the changes that no test notices: the mutants that are not caught.
#[derive(Debug, Args)]
pub(crate) struct Mutants {
    /// Mutate only this crate. May be given more than once.
    #[arg(long = "crate", value_name = "NAME")]
    crates: Vec<String>,
    /// The minutes after which a crate's next part is not begun.
    #[arg(long, default_value_t = 10)]
    minutes: u64,
    /// The sample of ten: every tenth mutant, beginning with this one.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(..SAMPLES))]
    sample: u64,
}

impl Mutants {
    /// # Errors
    ///
    /// If a crate is unknown, its tests fail without a mutant, or catch too few mutants.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let crates = chosen(
            &self.crates,
            published()?.into_iter().map(|it| it.name.to_string()),
        )?;
        ensure_subcommand("mutants")?;
        let tree = clone()?;
        let mut rows = Vec::new();
        for name in crates {
            let row = self.mutate(&tree, &name)?;
            println!("{row}");
            rows.push(row);
        }
        for name in rows.iter().flat_map(|row| &row.missed) {
            println!("not caught: {name}");
        }
        println!("\n{HEADER}");
        for row in &rows {
            println!("{row}");
        }
        let low: Vec<&str> = rows
            .iter()
            .filter(|row| row.percent() < GOAL)
            .map(|row| &*row.name)
            .collect();
        if !low.is_empty() {
            bail!(
                "less than {GOAL} % are caught in {}: write a test for the mutants above, or exclude one that changes nothing, with the reason, in \
                 .cargo/mutants.toml",
                low.join(", ")
            );
        }
        Ok(())
    }

    /// Tests the parts of the sample until all are done or the time is up.
    fn mutate(&self, tree: &Path, name: &str) -> anyhow::Result<Row> {
        let mut row = Row {
            name: name.to_owned(),
            ..Row::default()
        };
        let start = Instant::now();
        let folder = folder().join("out").join(name);
        fs::create_dir_all(&folder)?;
        row.all = output(mutants(tree, name).arg("--list"))?.lines().count();
        for part in 0..PARTS {
            if start.elapsed() > Duration::from_secs(self.minutes * 60) {
                break;
            }
            let shard = format!("{}/{}", self.sample + part * SAMPLES, SAMPLES * PARTS);
            let mut command = mutants(tree, name);
            command.args(["--in-place", "--sharding", "round-robin", "--shard", &shard]);
            // The tests are known to pass once the first part has begun.
            command.args(["--baseline", if part == 0 { "run" } else { "skip" }]);
            // Enough for a busy machine: a mutant that is slow is not one that hangs.
            command.args(["--timeout", "180", "--build-timeout", "600", "--no-times"]);
            if succeeds(cargo().args(["nextest", "--version"])) {
                command.args(["--test-tool", "nextest"]);
            }
            command.arg("--output").arg(&folder);
            // Tests run examples.
            for targets in ["--lib", "--tests", "--examples"] {
                command.arg(format!("--cargo-arg={targets}"));
            }
            announce(&command);
            // It fails if a mutant is not caught, among other reasons; its report tells.
            let status = command
                .status()
                .with_context(|| format!("cannot start {}", line(&command)))?;
            let report = folder.join("mutants.out/outcomes.json");
            let report = fs::read_to_string(&report).with_context(|| {
                format!("{} ended with {status} and left no report", line(&command))
            })?;
            row.add(&report)?;
        }
        row.seconds = start.elapsed().as_secs();
        Ok(row)
    }
}

/// Returns the crates that are called `names`, with or without the family's name; all of them if there are no names.
fn chosen(names: &[String], all: impl Iterator<Item = String>) -> anyhow::Result<Vec<String>> {
    let all: Vec<String> = all.collect();
    if names.is_empty() {
        return Ok(all);
    }
    names
        .iter()
        .map(|name| {
            let full = format!("zerospan-{name}");
            all.iter()
                .find(|it| *it == name || **it == full)
                .cloned()
                .with_context(|| {
                    format!(
                        "no published crate is called `{name}`: they are {}",
                        all.join(", ")
                    )
                })
        })
        .collect()
}

fn folder() -> PathBuf {
    root().join("target/mutants")
}

/// Brings the clone below `target/` to the commit that is checked out, and returns its path.
fn clone() -> anyhow::Result<PathBuf> {
    let git = |folder: &Path| {
        let mut git = Command::new("git");
        git.current_dir(folder);
        git
    };
    let tree = folder().join("tree");
    if !tree.join(".git").exists() {
        fs::create_dir_all(&tree)?;
        run(git(&tree).args(["init", "--quiet"]))?;
    }
    run(git(&tree)
        .args(["fetch", "--quiet", "--depth", "1"])
        .arg(root())
        .arg("HEAD"))?;
    // A run that was stopped has left its last mutant.
    run(git(&tree).args(["checkout", "--quiet", "--force", "--detach", "FETCH_HEAD"]))?;
    let commit = output(git(&tree).args(["log", "-1", "--format=%h %s"]))?;
    println!("mutants of {commit}; changes that are not committed are left out");
    Ok(tree)
}

/// Returns the command without what only a test or only a list needs.
fn mutants(tree: &Path, name: &str) -> Command {
    let mut command = cargo();
    command
        .current_dir(tree)
        .args([
            "mutants",
            "--package",
            name,
            "--all-features",
            "--colors",
            "never",
        ])
        .env("CARGO_TARGET_DIR", folder().join("build"))
        // Property tests with a fixed number of cases keep theirs.
        .env("PROPTEST_CASES", "32");
    command
}

/// The part of cargo-mutants' report that is read.
#[derive(Debug, Deserialize)]
struct Report {
    outcomes: Vec<Outcome>,
}

#[derive(Debug, Deserialize)]
struct Outcome {
    scenario: Scenario,
    summary: String,
}

#[derive(Debug, Deserialize)]
enum Scenario {
    Baseline,
    Mutant { name: String },
}

/// The results of one crate.
#[derive(Debug, Default, PartialEq, Eq)]
struct Row {
    name: String,
    /// All mutants of the crate, of which a sample is tested.
    all: usize,
    caught: u64,
    timeout: u64,
    unviable: u64,
    missed: Vec<String>,
    seconds: u64,
}

const HEADER: &str = "crate                    of  tested  unviable  caught  timed out  not caught  caught of viable  seconds";

impl Row {
    /// Adds a report to the counts.
    ///
    /// # Errors
    ///
    /// If the tests fail without a mutant, or a result is unknown.
    fn add(&mut self, report: &str) -> anyhow::Result<()> {
        let report: Report =
            serde_json::from_str(report).context("the report of cargo-mutants cannot be read")?;
        for Outcome { scenario, summary } in report.outcomes {
            match (scenario, &*summary) {
                (Scenario::Baseline, "Success") => {}
                (Scenario::Baseline, _) => bail!("{}: the tests fail without a mutant", self.name),
                (Scenario::Mutant { .. }, "CaughtMutant") => self.caught += 1,
                (Scenario::Mutant { .. }, "Timeout") => self.timeout += 1,
                (Scenario::Mutant { .. }, "Unviable") => self.unviable += 1,
                (Scenario::Mutant { name }, "MissedMutant") => self.missed.push(name),
                (Scenario::Mutant { name }, other) => {
                    bail!("{name}: cargo-mutants reports `{other}`")
                }
            }
        }
        Ok(())
    }

    fn viable(&self) -> u64 {
        self.caught + self.timeout + self.missed.len() as u64
    }

    /// Returns the share of the viable ones that is caught, rounded down. A test that hangs has noticed the mutant too.
    fn percent(&self) -> u64 {
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
    use super::{Row, chosen};

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
        row.add(REPORT).unwrap();
        row.add(REPORT).unwrap();
        assert_eq!((row.caught, row.timeout, row.unviable), (2, 2, 2));
        assert_eq!(row.missed, ["a.rs:2:1: replace < with <="; 2]);
        assert_eq!(row.percent(), 66);
    }

    #[test]
    fn tests_that_fail_without_a_mutant_are_an_error() {
        let report = REPORT.replace("Success", "Failure");
        let error = Row::default().add(&report).unwrap_err().to_string();
        assert!(error.contains("fail without a mutant"), "{error}");
    }

    #[test]
    fn a_result_that_is_unknown_is_an_error() {
        let report = REPORT.replace("Unviable", "Success");
        assert!(Row::default().add(&report).is_err());
    }

    #[test]
    fn a_crate_is_found_by_its_short_name_and_an_unknown_one_is_an_error() {
        let all = || ["zerospan", "zerospan-core"].map(String::from).into_iter();
        assert_eq!(chosen(&[], all()).unwrap().len(), 2);
        assert_eq!(
            chosen(&["core".into(), "zerospan".into()], all()).unwrap(),
            ["zerospan-core", "zerospan"]
        );
        let error = chosen(&["cor".into()], all()).unwrap_err().to_string();
        assert!(
            error.contains("they are zerospan, zerospan-core"),
            "{error}"
        );
    }
}
