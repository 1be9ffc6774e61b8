//! Changes one expression of the code at a time, and reports the changes that no test notices.
//!
//! The changes are made in a clone below `target/`, so that the sources stay as they are, and what is built there serves the next run.
//!
//! The time goes to compiling and linking, so each mutant meets the tests in stages: the unit tests, then `tests/it`, then the rest. A later
//! stage builds and runs its targets only for the mutants that all earlier ones have missed.

use crate::cargo::{
    announce, cargo, ensure_subcommand, line, output, published, root, run, succeeds,
};
use anyhow::{Context, bail};
use cargo_metadata::{Package, Target};
use clap::Args;
use serde::Deserialize;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// Every tenth mutant of a crate is a sample. Ten samples are all of them.
const SAMPLES: u64 = 10;
/// The parts in which a sample is tested. The time is looked at after each; each is spread over the whole crate.
const PARTS: u64 = 10;
/// The seconds that the tests of a mutant may take at least, even if they pass at once without it: the machine may be busy.
const PATIENCE: f64 = 90.0;
/// The tests of a mutant may take this many times as long as without it.
const SLOWER: f64 = 4.0;
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
        let crates = chosen(&self.crates, published()?)?;
        ensure_subcommand("mutants")?;
        let tree = clone()?;
        let mut rows = Vec::new();
        for package in crates {
            let row = self.mutate(&tree, &package)?;
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
    fn mutate(&self, tree: &Path, package: &Package) -> anyhow::Result<Row> {
        let name = &*package.name;
        let mut row = Row {
            name: name.to_owned(),
            ..Row::default()
        };
        let mut stages = stages(package);
        let nextest = succeeds(cargo().args(["nextest", "--version"]));
        let start = Instant::now();
        let folder = folder().join("out").join(name);
        fs::create_dir_all(&folder)?;
        row.all = output(mutants(tree, name).arg("--list"))?.lines().count();
        for part in 0..PARTS {
            if start.elapsed() > Duration::from_secs(self.minutes * 60) {
                break;
            }
            let shard = format!("{}/{}", self.sample + part * SAMPLES, SAMPLES * PARTS);
            let mut runs = vec![vec![
                "--sharding=round-robin".to_owned(),
                format!("--shard={shard}"),
            ]];
            let mut left = Vec::new();
            for stage in &mut stages {
                let mut missed = Vec::new();
                for run in &runs {
                    let mut command = mutants(tree, name);
                    command.arg("--in-place").args(run);
                    stage.arguments(&mut command, nextest);
                    command.arg("--output").arg(&folder);
                    announce(&command);
                    // It fails if a mutant is not caught, among other reasons; its report tells.
                    let status = command
                        .status()
                        .with_context(|| format!("cannot start {}", line(&command)))?;
                    let report = folder.join("mutants.out/outcomes.json");
                    let report = fs::read_to_string(&report).with_context(|| {
                        format!("{} ended with {status} and left no report", line(&command))
                    })?;
                    missed.extend(row.add(&report, stage, &left)?);
                }
                left = missed;
                if left.is_empty() {
                    break;
                }
                runs = runs_of(tree, name, &left)?;
            }
            row.missed.extend(left);
        }
        row.seconds = start.elapsed().as_secs();
        Ok(row)
    }
}

/// Test targets that are built and run together.
#[derive(Debug, Default)]
struct Stage {
    targets: Vec<String>,
    /// The seconds after which a mutant's tests are ended. Unknown until they have passed without a mutant.
    timeout: Option<u64>,
}

impl Stage {
    fn of(targets: impl IntoIterator<Item = String>) -> Self {
        Self {
            targets: targets.into_iter().collect(),
            timeout: None,
        }
    }

    fn arguments(&self, command: &mut Command, nextest: bool) {
        match self.timeout {
            Some(seconds) => command
                .arg("--baseline=skip")
                .arg(format!("--timeout={seconds}")),
            None => command
                .arg("--baseline=run")
                .arg(format!("--minimum-test-timeout={PATIENCE}"))
                .arg(format!("--timeout-multiplier={SLOWER}")),
        };
        command.args(["--build-timeout=600", "--no-times"]);
        if nextest {
            command.arg("--test-tool=nextest");
            // One failure is enough; a test that waits for something is ended then.
            command.arg("--cargo-test-arg=--max-fail=1:immediate");
            // Not every crate has unit tests.
            command.arg("--cargo-test-arg=--no-tests=pass");
        }
        for target in &self.targets {
            command.arg(format!("--cargo-arg={target}"));
        }
    }
}

/// Returns the stages of a crate's tests.
fn stages(package: &Package) -> Vec<Stage> {
    let tests = |of_it: bool| {
        let tests = package.targets.iter().filter(move |it| it.is_test());
        tests
            .filter(move |it| (it.name == "it") == of_it)
            .map(|it| format!("--test={}", it.name))
    };
    let mut rest: Vec<String> = tests(false).collect();
    // Tests run examples.
    if !rest.is_empty() && package.targets.iter().any(Target::is_example) {
        rest.push("--examples".into());
    }
    let all = [
        Stage::of(["--lib".into()]),
        Stage::of(tests(true)),
        Stage::of(rest),
    ];
    all.into_iter()
        .filter(|it| !it.targets.is_empty())
        .collect()
}

/// Returns the arguments of the runs that test these mutants.
///
/// cargo-mutants 27.1 tests each mutant that deletes a field, whatever the expression. Where there are such, each of the mutants gets a
/// run of its own, by its place in the list.
fn runs_of(tree: &Path, name: &str, chosen: &[String]) -> anyhow::Result<Vec<Vec<String>>> {
    let which: Vec<String> = chosen.iter().flat_map(|name| exactly(name)).collect();
    let listed = output(mutants(tree, name).arg("--list").args(&which))?;
    let listed: Vec<String> = listed.lines().map(str::to_owned).collect();
    if listed.len() == chosen.len() {
        return Ok(vec![which]);
    }
    let places = (0..listed.len()).filter(|place| chosen.contains(&listed[*place]));
    let run = |place: usize| {
        let mut run = which.clone();
        run.push("--sharding=round-robin".to_owned());
        run.push(format!("--shard={place}/{}", listed.len()));
        run
    };
    Ok(places.map(run).collect())
}

/// Returns the arguments that choose the mutant of this name.
fn exactly(name: &str) -> [String; 2] {
    let mut argument = "--re=^".to_owned();
    for char in name.chars() {
        if r"\.+*?()|[]{}^$#&-~".contains(char) {
            argument.push('\\');
        }
        argument.push(char);
    }
    let file = name.split(':').next().unwrap_or(name);
    [argument + "$", format!("--file={file}")]
}

/// Returns the crates that are called `names`, with or without the family's name; all of them if there are no names.
fn chosen(names: &[String], all: Vec<Package>) -> anyhow::Result<Vec<Package>> {
    if names.is_empty() {
        return Ok(all);
    }
    names
        .iter()
        .map(|name| {
            let full = format!("zerospan-{name}");
            all.iter()
                .find(|it| *it.name == *name || *it.name == full)
                .cloned()
                .with_context(|| {
                    format!(
                        "no published crate is called `{name}`: they are {}",
                        all.iter()
                            .map(|it| &**it.name)
                            .collect::<Vec<_>>()
                            .join(", ")
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
    let threads = thread::available_parallelism().map_or(1, usize::from);
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
        // It is not read, and takes time to write and link.
        .env("CARGO_PROFILE_DEV_DEBUG", "false")
        // Many tests wait.
        .env("NEXTEST_TEST_THREADS", (2 * threads).to_string())
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
    /// Adds the report of a stage to the counts, and returns the mutants that it has missed: they are not counted, and meet the next stage.
    /// Only those `wanted` count; all, if there are none.
    ///
    /// # Errors
    ///
    /// If the tests fail without a mutant, or a result is unknown.
    fn add(
        &mut self,
        report: &str,
        stage: &mut Stage,
        wanted: &[String],
    ) -> anyhow::Result<Vec<String>> {
        let report: Report =
            serde_json::from_str(report).context("the report of cargo-mutants cannot be read")?;
        let mut missed = Vec::new();
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
                    let seconds = test.map_or(0.0, |it| it.duration) * SLOWER;
                    stage.timeout = Some(seconds.max(PATIENCE) as u64);
                }
                (Scenario::Baseline, _) => bail!("{}: the tests fail without a mutant", self.name),
                (Scenario::Mutant { .. }, "CaughtMutant") => self.caught += 1,
                (Scenario::Mutant { .. }, "Timeout") => self.timeout += 1,
                (Scenario::Mutant { .. }, "Unviable") => self.unviable += 1,
                (Scenario::Mutant { name }, "MissedMutant") => missed.push(name),
                (Scenario::Mutant { name }, other) => {
                    bail!("{name}: cargo-mutants reports `{other}`")
                }
            }
        }
        Ok(missed)
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
    use super::{PATIENCE, Row, SLOWER, Stage, chosen, exactly, stages};
    use crate::cargo::published;

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
            let missed = row.add(REPORT, &mut Stage::default(), &[]).unwrap();
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
        let missed = row.add(REPORT, &mut Stage::default(), &wanted).unwrap();
        assert_eq!(missed, [""; 0]);
        assert_eq!((row.caught, row.timeout, row.unviable), (1, 0, 0));
    }

    #[test]
    fn tests_that_fail_without_a_mutant_are_an_error() {
        let report = REPORT.replace("Success", "Failure");
        let result = Row::default().add(&report, &mut Stage::default(), &[]);
        let error = result.unwrap_err().to_string();
        assert!(error.contains("fail without a mutant"), "{error}");
    }

    #[test]
    fn a_mutant_has_a_multiple_of_the_time_without_it_and_a_minimum() {
        let report = |seconds: f64| {
            format!(
                r#"{{"outcomes": [{{"scenario": "Baseline", "summary": "Success", "phase_results": [
                {{"phase": "Build", "duration": 500.0}}, {{"phase": "Test", "duration": {seconds}}}]}}]}}"#
            )
        };
        for (seconds, timeout) in [(1.5, PATIENCE), (100.0, 100.0 * SLOWER)] {
            let mut stage = Stage::default();
            let row = &mut Row::default();
            row.add(&report(seconds), &mut stage, &[]).unwrap();
            assert_eq!(stage.timeout, Some(timeout as u64));
        }
    }

    #[test]
    fn unit_tests_come_first_and_every_target_once() {
        let packages = chosen(
            &["tracing".into(), "transport".into()],
            published().unwrap(),
        );
        let targets: Vec<Vec<Vec<String>>> = packages
            .unwrap()
            .iter()
            .map(|it| stages(it).into_iter().map(|it| it.targets).collect())
            .collect();
        assert_eq!(targets[1], [["--lib"], ["--test=it"]]);
        assert_eq!(targets[0][..2], targets[1][..]);
        let mut rest = targets[0][2].clone();
        rest.sort();
        let all = [
            "--examples",
            "--test=fork",
            "--test=init",
            "--test=zero_alloc",
        ];
        assert_eq!(rest, all);
    }

    #[test]
    fn a_mutant_is_chosen_by_its_name_whatever_characters_it_has() {
        assert_eq!(
            exactly("a.rs:1:2: replace f -> Option<u8> with Some(0)"),
            [
                r"--re=^a\.rs:1:2: replace f \-> Option<u8> with Some\(0\)$",
                "--file=a.rs"
            ]
        );
    }

    #[test]
    fn a_result_that_is_unknown_is_an_error() {
        let report = REPORT.replace("Unviable", "Success");
        let mut stage = Stage::default();
        assert!(Row::default().add(&report, &mut stage, &[]).is_err());
    }

    #[test]
    fn a_crate_is_found_by_its_short_name_and_an_unknown_one_is_an_error() {
        let all = || published().unwrap();
        let names = |names: &[String]| -> Vec<String> {
            let chosen = chosen(names, all()).unwrap();
            chosen.iter().map(|it| it.name.to_string()).collect()
        };
        assert_eq!(names(&[]).len(), all().len());
        assert_eq!(
            names(&["core".into(), "zerospan".into()]),
            ["zerospan-core", "zerospan"]
        );
        let error = chosen(&["cor".into()], all()).unwrap_err().to_string();
        assert!(error.contains("zerospan-core, "), "{error}");
    }
}
