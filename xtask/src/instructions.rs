//! Compares the instructions per operation of every hot path with the recorded ones.
//!
//! Times scatter by more than a regression costs; instructions do not. Callgrind counts one function of the program
//! `benches`, on the calling thread. It shows the same processor on every machine with AVX2, so that the C library picks the
//! same routines. Decision 0007 says why no framework does this.

mod record;

use crate::bench::program;
use crate::cargo::{cargo, line, output, root, run};
use anyhow::{Context, bail};
use clap::Args;
use record::{Counts, Record, Toolchain};
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

/// Compare the instructions per operation of every hot path with the recorded ones (needs valgrind).
#[derive(Debug, Default, Args)]
pub(crate) struct Guard {
    /// Write this machine's counts into the record: commit it with the change that caused them, and why.
    #[arg(long)]
    record: bool,
}

/// The share by which a path may grow.
const TOLERANCE: f64 = 0.02;
/// The folder of Callgrind's profiles, one per path.
const PROFILES: &str = "target/guard";
/// The counted function, in Rust's name or mangled.
const COUNTED_FUNCTION: &str = "*run_counted_path*";

impl Guard {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let Ok(valgrind) = output(Command::new("valgrind").arg("--version")) else {
            if self.record {
                bail!("valgrind is missing: install it to record instructions");
            }
            println!("guard: skipped, valgrind is missing: install it to count instructions");
            return Ok(());
        };
        let toolchain = Toolchain::current()?;
        if self.record {
            let counts = count_all()?;
            print!("{}", table(&counts, &counts));
            Record::new(toolchain, valgrind, counts)?.write()?;
            println!("guard: recorded in {}", Record::PATH);
            return Ok(());
        }
        let record = Record::read()?;
        if record.toolchain != toolchain {
            println!(
                "guard: skipped, the record is of {}, this is {toolchain}, and instructions depend on them. \
                 To record these: cargo xtask guard --record",
                record.toolchain
            );
            return Ok(());
        }
        let counts = count_all()?;
        print!("{}", table(&record.instructions, &counts));
        compare(&record, &counts)
    }
}

fn count_all() -> anyhow::Result<Counts> {
    run(cargo()
        .args(["build", "--release", "--package", "benches"])
        .args(["--bin", "benches"])
        // A user's flags, such as `target-cpu=native`, would change the instructions.
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env("RUSTFLAGS", ""))?;
    fs::create_dir_all(root().join(PROFILES))?;
    output(program("benches").arg("instructions"))?
        .lines()
        .map(|path| Ok((path.to_owned(), count(path)?)))
        .collect()
}

/// Returns the instructions per operation, rounded to a thousandth.
fn count(path: &str) -> anyhow::Result<f64> {
    let profile = root().join(PROFILES).join(format!("{path}.out"));
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--quiet", "--tool=callgrind"])
        .arg(format!("--toggle-collect={COUNTED_FUNCTION}"))
        // Overwrites a profile that was left.
        .arg("--combine-dumps=no")
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(program("benches").get_program())
        .args(["instructions", path])
        // Debug output is not part of the path.
        .env_remove("RUST_LOG")
        .env_remove("RUST_BACKTRACE");
    let operations: f64 = output(&mut valgrind)?
        .parse()
        .with_context(|| format!("{} did not print a number", line(&valgrind)))?;
    let text = fs::read_to_string(&profile).with_context(|| format!("{path} has no profile"))?;
    let instructions = total(&text).with_context(|| format!("{path}: the profile has no total"))?;
    if instructions == 0.0 {
        bail!("{path}: nothing was counted: has {COUNTED_FUNCTION} been inlined or renamed?");
    }
    Ok((instructions / operations * 1e3).round() / 1e3)
}

/// Returns N of the line `totals: N` of a profile.
fn total(profile: &str) -> Option<f64> {
    let mut lines = profile.lines();
    let total = lines.find_map(|line| line.strip_prefix("totals:"))?;
    total.trim().parse().ok()
}

/// Returns a line for each path that is recorded or counted.
fn table(recorded: &Counts, counted: &Counts) -> String {
    let mut lines = format!(
        "{:<22}{:>12}{:>12}{:>9}\n",
        "instructions an op", "recorded", "counted", "change"
    );
    let all: BTreeMap<_, _> = recorded.iter().chain(counted).collect();
    for path in all.into_keys() {
        let (before, now) = (recorded.get(path), counted.get(path));
        let figure =
            |count: Option<&f64>| count.map_or("-".to_owned(), |count| format!("{count:.1}"));
        let change = before.zip(now).map_or("-".to_owned(), |(before, now)| {
            format!("{:+.2} %", change(*before, *now) * 100.0)
        });
        lines += &format!(
            "{path:<22}{:>12}{:>12}{change:>9}\n",
            figure(before),
            figure(now)
        );
    }
    lines
}

/// Returns an error that names each path that grew, and each that only one side has.
fn compare(record: &Record, counted: &Counts) -> anyhow::Result<()> {
    let mut faults = Vec::new();
    for (path, before) in &record.instructions {
        match counted.get(path) {
            None => faults.push(format!("{path} is recorded, but does not exist")),
            Some(now) if change(*before, *now) > TOLERANCE => faults.push(format!(
                "{path} takes {now:.1} instructions per operation, {:+.2} % on the recorded {before:.1}",
                change(*before, *now) * 100.0
            )),
            Some(now) if change(*before, *now) < -TOLERANCE => {
                println!("guard: {path} became faster: record it, so that it stays so");
            }
            Some(_) => {}
        }
    }
    let is_new = |path: &&String| !record.instructions.contains_key(*path);
    faults.extend(
        counted
            .keys()
            .filter(is_new)
            .map(|path| format!("{path} is not recorded")),
    );
    if faults.is_empty() {
        println!(
            "guard: {} paths within {} % of the record of {}",
            counted.len(),
            TOLERANCE * 100.0,
            record.date
        );
        return Ok(());
    }
    bail!(
        "guard: {}\n\
         See where: callgrind_annotate {PROFILES}/PATH.out\n\
         If it is intended: cargo xtask guard --record, and commit {} with the change and its reason",
        faults.join("\nguard: "),
        Record::PATH
    )
}

/// Returns the share by which `now` exceeds `before`.
fn change(before: f64, now: f64) -> f64 {
    now / before - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(of: &[(&str, f64)]) -> Counts {
        let owned = |(path, count): &(&str, f64)| ((*path).to_owned(), *count);
        of.iter().map(owned).collect()
    }

    fn failure(recorded: &[(&str, f64)], counted: &[(&str, f64)]) -> Option<String> {
        let record = Record {
            date: "2026-01-31".to_owned(),
            toolchain: Toolchain {
                rustc: "1.95.0".to_owned(),
                host: "x86_64-unknown-linux-gnu".to_owned(),
                libc: "glibc 2.36".to_owned(),
            },
            cpu: "some processor".to_owned(),
            valgrind: "valgrind-3.19.0".to_owned(),
            instructions: counts(recorded),
        };
        let outcome = compare(&record, &counts(counted));
        outcome.err().map(|error| error.to_string())
    }

    #[test]
    fn two_percent_more_pass_and_a_little_beyond_fails() {
        let record = [("a", 100.0), ("b", 1000.0)];
        assert_eq!(failure(&record, &[("a", 101.9), ("b", 900.0)]), None);
        let error = failure(&record, &[("a", 102.1), ("b", 1000.0)]).unwrap();
        assert!(error.contains("a takes 102.1"), "{error}");
        assert!(error.contains("+2.10 %"), "{error}");
        assert!(error.contains("cargo xtask guard --record"), "{error}");
    }

    #[test]
    fn a_path_that_only_one_side_has_fails() {
        let error = failure(&[("a", 100.0)], &[("b", 1.0)]).unwrap();
        assert!(error.contains("a is recorded, but"), "{error}");
        assert!(error.contains("b is not recorded"), "{error}");
    }

    #[test]
    fn the_table_shows_both_figures_and_the_change() {
        let recorded = counts(&[("a", 100.0), ("b", 2.0)]);
        let table = table(&recorded, &counts(&[("a", 103.0)]));
        assert!(table.contains("100.0       103.0  +3.00 %"), "{table}");
        assert!(table.contains("2.0           -        -"), "{table}");
    }

    #[test]
    fn the_total_of_a_profile_is_found() {
        let profile = "version: 1\nevents: Ir\nsummary: 7\n\nfn=(1) run\n3 7\n\ntotals: 4711\n";
        assert_eq!(total(profile), Some(4711.0));
        assert_eq!(total("version: 1\n"), None);
    }
}
