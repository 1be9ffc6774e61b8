//! Instructions per operation of every hot path, held against the recorded ones: no commit makes us slower unnoticed.
//!
//! Times scatter by more than a regression is worth; instructions do not. Callgrind counts them in one function of the
//! program `instructions`, on the thread that calls it, whatever else the machine does. It shows the program the same
//! processor on every machine that has AVX2, so that the C library picks the same routines.

mod count;
mod record;

use crate::cargo::{cargo, root, run};
use anyhow::bail;
use clap::Args;
use count::Counter;
use record::{Record, Toolchain};
use std::collections::BTreeMap;

/// Hold the instructions per operation of every hot path against the recorded ones (needs valgrind).
#[derive(Debug, Default, Args)]
pub(crate) struct Guard {
    /// Write the counts of this machine into the record: commit it with what slowed down or sped up, and why.
    #[arg(long)]
    record: bool,
}

/// Instructions per operation, by path.
type Counts = BTreeMap<String, f64>;

/// By what part a path may grow before the guard fails.
const TOLERANCE: f64 = 0.02;

impl Guard {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let Some(counter) = Counter::find() else {
            if self.record {
                bail!("valgrind is missing: install it, there is nothing to record without it");
            }
            println!("guard: skipped, valgrind is missing: install it to count instructions");
            return Ok(());
        };
        let toolchain = Toolchain::in_use()?;
        if self.record {
            let counts = measure(&counter)?;
            let record = Record::new(toolchain, counter.version(), counts)?;
            print!("{}", table(&record.instructions, &record.instructions));
            record.write()?;
            println!("guard: recorded in {}", Record::PATH);
            return Ok(());
        }
        let record = Record::read()?;
        if record.toolchain != toolchain {
            println!(
                "guard: skipped, the record is of {}, and this is {toolchain}: instructions depend on these. \
                 To hold this one: cargo xtask guard --record",
                record.toolchain
            );
            return Ok(());
        }
        let counts = measure(&counter)?;
        print!("{}", table(&record.instructions, &counts));
        judge(&record, &counts)
    }
}

fn measure(counter: &Counter) -> anyhow::Result<Counts> {
    run(cargo()
        .args(["build", "--release", "--package", "benches"])
        .args(["--bin", "instructions"])
        // Flags of the user's, as for the processor at hand, would give other instructions.
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env("RUSTFLAGS", ""))?;
    counter.count_all()
}

/// One line for each path that is recorded or was counted.
fn table(recorded: &Counts, counted: &Counts) -> String {
    let mut lines = format!(
        "{:<22}{:>12}{:>12}{:>9}\n",
        "instructions an op", "recorded", "counted", "change"
    );
    let all: BTreeMap<_, _> = recorded.iter().chain(counted).collect();
    for path in all.into_keys() {
        let (then, today) = (recorded.get(path), counted.get(path));
        let figure =
            |count: Option<&f64>| count.map_or("-".to_owned(), |count| format!("{count:.1}"));
        let change = then.zip(today).map_or("-".to_owned(), |(then, today)| {
            format!("{:+.2} %", change(*then, *today) * 100.0)
        });
        lines += &format!(
            "{path:<22}{:>12}{:>12}{change:>9}\n",
            figure(then),
            figure(today)
        );
    }
    lines
}

/// # Errors
///
/// Which paths grew by how much, and which stand on one side only.
fn judge(record: &Record, counted: &Counts) -> anyhow::Result<()> {
    let mut faults = Vec::new();
    for (path, then) in &record.instructions {
        match counted.get(path) {
            None => faults.push(format!("{path} is recorded and there is no such path")),
            Some(today) if change(*then, *today) > TOLERANCE => faults.push(format!(
                "{path} takes {today:.1} instructions an operation, {:+.2} % on the recorded {then:.1}",
                change(*then, *today) * 100.0
            )),
            Some(today) if change(*then, *today) < -TOLERANCE => {
                println!("guard: {path} became faster; record it, lest it slow down again unnoticed");
            }
            Some(_) => {}
        }
    }
    for path in counted.keys() {
        if !record.instructions.contains_key(path) {
            faults.push(format!("{path} is not recorded"));
        }
    }
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
         Where the instructions go: callgrind_annotate {}/PATH.out\n\
         If it has to be so: cargo xtask guard --record, then commit {} with the change and give the reason in the \
         commit's message",
        faults.join("\nguard: "),
        count::DIRECTORY,
        Record::PATH
    )
}

/// By what part `today` is more than `then`.
fn change(then: f64, today: f64) -> f64 {
    today / then - 1.0
}

/// Where the record lies in this checkout.
fn path_of(file: &str) -> std::path::PathBuf {
    root().join(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(of: &[(&str, f64)]) -> Counts {
        of.iter()
            .map(|(path, count)| ((*path).to_owned(), *count))
            .collect()
    }

    fn recorded(of: &[(&str, f64)]) -> Record {
        Record {
            date: "2026-01-31".to_owned(),
            toolchain: Toolchain {
                rustc: "1.95.0".to_owned(),
                host: "x86_64-unknown-linux-gnu".to_owned(),
                libc: "glibc 2.36".to_owned(),
            },
            cpu: "some processor".to_owned(),
            valgrind: "valgrind-3.19.0".to_owned(),
            instructions: counts(of),
        }
    }

    #[test]
    fn two_percent_more_pass_and_a_little_beyond_fails() {
        let record = recorded(&[("a", 100.0), ("b", 1000.0)]);
        assert!(judge(&record, &counts(&[("a", 101.9), ("b", 900.0)])).is_ok());
        let failure = judge(&record, &counts(&[("a", 102.1), ("b", 1000.0)])).unwrap_err();
        let told = failure.to_string();
        assert!(
            told.contains("a takes 102.1 instructions an operation, +2.10 %"),
            "{told}"
        );
        assert!(told.contains("cargo xtask guard --record"), "{told}");
    }

    #[test]
    fn a_path_that_is_not_recorded_or_no_longer_there_fails() {
        let record = recorded(&[("a", 100.0)]);
        let told = judge(&record, &counts(&[("b", 1.0)]))
            .unwrap_err()
            .to_string();
        assert!(
            told.contains("a is recorded and there is no such path"),
            "{told}"
        );
        assert!(told.contains("b is not recorded"), "{told}");
    }

    #[test]
    fn the_table_shows_both_figures_and_the_change() {
        let table = table(
            &counts(&[("a", 100.0), ("b", 2.0)]),
            &counts(&[("a", 103.0)]),
        );
        assert!(table.contains("100.0       103.0  +3.00 %"), "{table}");
        assert!(table.contains("2.0           -        -"), "{table}");
    }
}
