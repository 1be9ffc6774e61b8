//! Changes one expression of the code at a time, and reports the changes that no test notices.
//!
//! The changes are made in a clone below `target/`, so that the sources stay as they are, and what is built there serves the next run.
//!
//! The time goes to compiling and linking, so each mutant meets the tests in stages: the unit tests, then `tests/it`, then the rest. A later
//! stage builds and runs its targets only for the mutants that all earlier ones have missed.

mod row;
mod stage;

use crate::cargo::{
    announce, cargo, ensure_subcommand, line, output, published, root, run, succeeds,
};
use anyhow::{Context, bail};
use cargo_metadata::Package;
use clap::Args;
use row::{HEADER, Row};
use stage::stages;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
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
        let all = output(mutants(tree, name).arg("--list"))?.lines().count();
        let mut row = Row::new(name, all);
        let mut stages = stages(package);
        let nextest = succeeds(cargo().args(["nextest", "--version"]));
        let start = Instant::now();
        let folder = folder().join("out").join(name);
        fs::create_dir_all(&folder)?;
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
                    let added = row.add(&report, &left)?;
                    missed.extend(added.missed);
                    if let Some(seconds) = added.seconds_without {
                        stage.set_timeout(seconds);
                    }
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

#[cfg(test)]
mod tests {
    use super::{chosen, exactly};
    use crate::cargo::published;

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
