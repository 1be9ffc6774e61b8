//! Times both sides of each row, holds the ratio against its budget and writes `target/budget.json`.

use anyhow::{Context, bail};
use benches::{Counts, Effort, Report, Timing, Verdict, rows};
use clap::Parser;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

/// Hold every performance promise against what is measured here and now.
#[derive(Debug, Parser)]
struct Arguments {
    /// Measure only rows whose identifier begins so.
    #[arg(long, value_name = "PREFIX", default_value = "")]
    only: String,
    /// Measure for a fraction of the time: the figures scatter more.
    #[arg(long)]
    quick: bool,
    /// Where the report goes.
    #[arg(long, value_name = "FILE", default_value = "target/budget.json")]
    out: PathBuf,
}

#[allow(clippy::print_stderr)]
fn main() -> ExitCode {
    match measure(&Arguments::parse()) {
        Ok(missed) if missed.is_empty() => ExitCode::SUCCESS,
        Ok(missed) => {
            eprintln!("missed: {}", missed.join(", "));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Measures the rows that are asked for, and names those that miss their budget.
#[allow(clippy::print_stdout)]
fn measure(arguments: &Arguments) -> anyhow::Result<Vec<&'static str>> {
    let rows = rows::starting_with(&arguments.only);
    if rows.is_empty() {
        let known: Vec<&str> = rows::starting_with("").iter().map(|row| row.id).collect();
        bail!(
            "no row begins with `{}`; there are: {}",
            arguments.only,
            known.join(", ")
        );
    }
    let effort = if arguments.quick {
        Effort::QUICK
    } else {
        Effort::FULL
    };
    let counts = count_allocations(&arguments.only)?;

    println!("{}", Verdict::heading());
    let mut report = Report {
        rounds: effort.rounds,
        rows: Vec::new(),
    };
    for row in &rows {
        let mut contest = (row.prepare)();
        if let Err(difference) = contest.check() {
            bail!(
                "{}: the two sides do not do the same work: {difference}",
                row.id
            );
        }
        let timing = Timing::of(&mut contest, effort);
        let allocated = *counts
            .get(row.id)
            .with_context(|| format!("the program `allocations` did not count {}", row.id))?;
        let verdict = Verdict::on(row, timing, allocated);
        println!("{}", verdict.line());
        report.rows.push(verdict);
    }

    std::fs::write(&arguments.out, serde_json::to_string_pretty(&report)?).with_context(|| {
        format!(
            "cannot write {}: choose another place with --out",
            arguments.out.display()
        )
    })?;
    println!(
        "{} rows, {} rounds each; report in {}",
        report.rows.len(),
        effort.rounds,
        arguments.out.display()
    );
    Ok(report.missed())
}

/// Runs the program `allocations`, which stands beside this one.
fn count_allocations(only: &str) -> anyhow::Result<Counts> {
    let program = std::env::current_exe()?
        .with_file_name(format!("allocations{}", std::env::consts::EXE_SUFFIX));
    let output = Command::new(&program)
        .args(["--only", only])
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| {
            format!(
                "cannot run {}: build it with `cargo build --release -p benches --bins`",
                program.display()
            )
        })?;
    if !output.status.success() {
        bail!("{} ended with {}", program.display(), output.status);
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
