//! Measures what a span costs as it grows, prints it and writes `target/bench/growth.json`.

use anyhow::{Context, anyhow, bail, ensure};
use benches::Effort;
use benches::growth::{self, Allocations, Grown, Growth, Point, SERIES, SIDES, Series};
use clap::Parser;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Measure what a span costs with more attributes, longer values, deeper trees, more spans in flight, more threads.
#[derive(Debug, Parser)]
struct Arguments {
    /// Measure for a fraction of the time: the figures scatter more.
    #[arg(long)]
    quick: bool,
    /// Where the figures go.
    #[arg(long, value_name = "FILE", default_value = "target/bench/growth.json")]
    out: PathBuf,
}

#[allow(clippy::print_stdout)]
fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let effort = if arguments.quick {
        Effort::QUICK
    } else {
        Effort::FULL
    };
    let allocations = count_allocations()?;
    ensure!(
        allocations.len() == SERIES.len(),
        "the program `growth_allocations` is of another build: build both with `cargo build --release -p benches --bins`"
    );
    let mut growth = Growth {
        rounds: effort.rounds,
        series: Vec::new(),
    };
    for (series, counts) in SERIES.iter().zip(&allocations) {
        growth.series.push(measure(series, counts, effort)?);
    }
    write(&arguments.out, &growth)?;
    println!(
        "\n{} rounds each; figures in {}",
        effort.rounds,
        arguments.out.display()
    );
    Ok(())
}

#[allow(clippy::print_stdout)]
fn measure(series: &Series, counts: &[[f64; 3]], effort: Effort) -> anyhow::Result<Grown> {
    ensure!(
        counts.len() == series.values.len(),
        "the program `growth_allocations` counted other values of {}: build both programs anew",
        series.id
    );
    println!(
        "\n{}: CPU ns and allocations a span\n{}",
        series.title,
        heading()
    );
    let points = growth::measure(series, effort, counts).map_err(|reason| anyhow!(reason))?;
    for point in &points {
        println!("{}", line(point));
    }
    Ok(Grown {
        id: series.id.to_owned(),
        title: series.title.to_owned(),
        axis: series.axis.to_owned(),
        work: series.work.to_owned(),
        points,
    })
}

fn heading() -> String {
    let sides = SIDES.map(|side| format!("{side:>17}{:>9}", "allocs"));
    format!("{:>8}{}", "at", sides.concat())
}

fn line(point: &Point) -> String {
    let costs = point
        .costs
        .map(|cost| format!("{:>17.1}{:>9.2}", cost.median, cost.allocations));
    format!("{:>8}{}", point.at, costs.concat())
}

fn write(out: &Path, growth: &Growth) -> anyhow::Result<()> {
    let refused = || {
        format!(
            "cannot write {}: choose another place with --out",
            out.display()
        )
    };
    if let Some(folder) = out.parent() {
        std::fs::create_dir_all(folder).with_context(refused)?;
    }
    std::fs::write(out, serde_json::to_string_pretty(growth)?).with_context(refused)
}

/// Runs the program `growth_allocations`, which stands beside this one.
fn count_allocations() -> anyhow::Result<Allocations> {
    let program = std::env::current_exe()?.with_file_name(format!(
        "growth_allocations{}",
        std::env::consts::EXE_SUFFIX
    ));
    let output = Command::new(&program)
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
