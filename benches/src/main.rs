//! Times the rows and the growth, runs hot paths, and makes the published page.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use anyhow::{Context, anyhow, bail};
use benches::comparison::Row;
use benches::growth::{self, Cost, Growth, Measured, SERIES};
use benches::hot_paths::{HOT_PATHS, HotPath};
use benches::machine::Machine;
use benches::measure::{Config, measure};
use benches::report::{self, Table, count, figure};
use benches::rows;
use benches::service;
use benches::verdict::{Counts, Report, Verdict};
use clap::Parser;
use serde::de::DeserializeOwned;
use std::process::{Command, ExitCode, Stdio};

/// Measure what zerospan promises.
#[derive(Debug, Parser)]
enum Task {
    /// Time both sides of each row and compare the ratio with its budget.
    Budget {
        /// Measure only rows whose identifier starts with this.
        #[arg(long, value_name = "PREFIX", default_value = "")]
        only: String,
        /// Measure for a fraction of the time: figures scatter more.
        #[arg(long)]
        quick: bool,
        /// Print the rows and their budgets; measure nothing.
        #[arg(long)]
        list: bool,
    },
    /// Time a span with more attributes, longer values, deeper trees, more spans in flight, more threads.
    Growth {
        /// Measure for a fraction of the time: figures scatter more.
        #[arg(long)]
        quick: bool,
    },
    /// Run one hot path under Callgrind and print the number of operations; `cargo xtask guard` does so.
    Instructions {
        /// The path; without it, all paths are listed.
        path: Option<String>,
    },
    /// Write the measured part of `docs/benchmarks.md` and its picture from the figures in `target/bench`.
    Report,
}

fn main() -> ExitCode {
    let outcome = match Task::parse() {
        Task::Budget { list: true, .. } => list(),
        Task::Budget { only, quick, .. } => budget(&only, quick),
        Task::Growth { quick } => growth(quick),
        Task::Instructions { path } => instructions(path.as_deref()),
        Task::Report => report::write(),
    };
    // Without the backtrace that `Debug` would add.
    outcome.map_or_else(
        |error| {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

fn list() -> anyhow::Result<()> {
    let rows = rows::starting_with("");
    let of_service = rows::SERVICE.iter().copied();
    for row in rows.iter().map(Row::promise).chain(of_service) {
        println!("{:<21} {}", row.id, row.terms());
    }
    Ok(())
}

fn budget(only: &str, quick: bool) -> anyhow::Result<()> {
    let rows = rows::starting_with(only);
    let has_service = rows::SERVICE.iter().any(|row| row.id.starts_with(only));
    if rows.is_empty() && !has_service {
        bail!("no row starts with `{only}`: see `cargo xtask budget --list`");
    }
    let config = Config::new(quick);
    let counts: Counts = counting(&["rows", "--only", only])?;
    println!("{}", Verdict::HEADING);
    let mut verdicts = Vec::new();
    for row in &rows {
        let mut comparison = (row.prepare)();
        comparison
            .check()
            .map_err(|reason| anyhow!("{}: the sides differ: {reason}", row.id))?;
        let quartiles = measure(&mut comparison, config);
        let allocations = *counts
            .get(row.id)
            .with_context(|| format!("the program `counting` lacks {}", row.id))?;
        let verdict = Verdict::new(&row.promise(), quartiles, allocations);
        println!("{}", verdict.line());
        verdicts.push(verdict);
    }
    if has_service {
        let print = |line: &str| println!("{line}");
        verdicts.extend(service::measure(only, quick, print)?);
    }
    let missed: Vec<String> = verdicts
        .iter()
        .filter(|verdict| verdict.is_missed())
        .map(|verdict| verdict.id.clone())
        .collect();
    let report = Report {
        machine: Machine::current(),
        rounds: config.rounds,
        rows: verdicts,
    };
    println!("{} rounds; figures in {}", config.rounds, report::BUDGET);
    report::save(report::BUDGET, &report)?;
    if !missed.is_empty() {
        bail!("missed: {}", missed.join(", "));
    }
    Ok(())
}

fn growth(quick: bool) -> anyhow::Result<()> {
    let config = Config::new(quick);
    let counts: growth::Allocations = counting(&["growth"])?;
    let mut growth = Growth {
        machine: Machine::current(),
        rounds: config.rounds,
        series: Vec::new(),
    };
    for (series, counts) in SERIES.iter().zip(&counts) {
        let measured = growth::measure(series, config, counts).map_err(|reason| anyhow!(reason))?;
        print(&measured);
        growth.series.push(measured);
    }
    println!("\n{} rounds; figures in {}", config.rounds, report::GROWTH);
    report::save(report::GROWTH, &growth)
}

fn print(measured: &Measured) {
    let sides = measured.sides.iter();
    let sides = sides.flat_map(|side| [format!("#{} ns", side.name()), "#allocs".to_owned()]);
    let headings = [format!("#{}", measured.axis)].into_iter().chain(sides);
    let mut table = Table::new(headings);
    for point in &measured.points {
        let cell = |cost: &Cost| [figure(cost.time.median), count(cost.allocations)];
        let cells = point.costs.iter().flat_map(cell);
        table.row([point.at.to_string()].into_iter().chain(cells));
    }
    println!("\n{table}");
}

fn instructions(path: Option<&str>) -> anyhow::Result<()> {
    let Some(id) = path else {
        for path in HOT_PATHS {
            println!("{}", path.id);
        }
        return Ok(());
    };
    let path = HotPath::find(id).with_context(|| format!("there is no hot path `{id}`"))?;
    let operations = path.run().map_err(|reason| anyhow!("{id}: {reason}"))?;
    println!("{operations}");
    Ok(())
}

/// Runs the program `counting` beside this one and parses its output.
fn counting<T: DeserializeOwned>(arguments: &[&str]) -> anyhow::Result<T> {
    let name = format!("counting{}", std::env::consts::EXE_SUFFIX);
    let program = std::env::current_exe()?.with_file_name(name);
    let output = Command::new(&program)
        .args(arguments)
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
