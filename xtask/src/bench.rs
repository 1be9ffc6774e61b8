//! What is measured: the budgets, the criterion benchmarks, the memory table.

use crate::cargo::{cargo, root, run};
use crate::peers;
use anyhow::ensure;
use clap::Args;
use std::process::Command;
use std::time::{Instant, SystemTime};

/// Hold every performance promise against what is measured here and now.
#[derive(Debug, Args)]
pub(crate) struct Budget {
    /// Measure only rows whose identifier begins so: `otlp`, `seed.pool`.
    #[arg(long, value_name = "PREFIX")]
    only: Option<String>,
    /// Measure for a fraction of the time: the figures scatter more.
    #[arg(long)]
    quick: bool,
}

impl Budget {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        build()?;
        let mut budget = program("budget");
        if let Some(prefix) = self.only {
            budget.args(["--only", &prefix]);
        }
        if self.quick {
            budget.arg("--quick");
        }
        run(&mut budget)
    }
}

/// Run the criterion benchmarks, for exploring; or compare with what a user could pick instead; or make the report.
#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// Print the tables of the peers: each in processes of its own, on the same work, its output decoded.
    #[arg(long, conflicts_with = "arguments")]
    peers: bool,
    /// Measure budgets, growth and peers, and make `target/bench/report.html` and the measured part of
    /// `docs/benchmarks.md` of it, pictures included.
    #[arg(long, conflicts_with_all = ["arguments", "peers"])]
    report: bool,
    /// With `--peers` or `--report`: measure for a fraction of the time; the figures scatter more.
    #[arg(long, conflicts_with = "arguments")]
    quick: bool,
    /// What `cargo bench` takes: `--bench NAME`, then `--` and what criterion takes.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

impl Bench {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        if self.report {
            return report(self.quick);
        }
        if self.peers {
            return peers::compare(self.quick);
        }
        ensure!(
            !self.quick,
            "--quick is of --peers and --report: name one of them, or give criterion its own options after `--`"
        );
        run(cargo()
            .args(["bench", "--package", "benches"])
            .args(self.arguments))
    }
}

/// Measures everything and makes the report of it.
fn report(quick: bool) -> anyhow::Result<()> {
    run(cargo()
        .args(["build", "--release", "--package", "benches", "--bins"])
        .args(["--features", "peers,report"]))?;
    let begun = Instant::now();
    // A row that misses its budget is a finding, and the report shows it; a program that wrote nothing has failed.
    let old = modified("target/budget.json");
    let budget = run(with_effort(&mut program("budget"), quick));
    if modified("target/budget.json") == old {
        budget?;
    }
    run(with_effort(&mut program("growth"), quick))?;
    run(with_effort(&mut program("peers"), quick))?;
    run(&mut program("report"))?;
    println!("measured and written in {} s", begun.elapsed().as_secs());
    Ok(())
}

fn with_effort(program: &mut Command, quick: bool) -> &mut Command {
    if quick {
        program.arg("--quick");
    }
    program
}

fn modified(path: &str) -> Option<SystemTime> {
    root().join(path).metadata().ok()?.modified().ok()
}

/// Prints the memory table.
pub(crate) fn memory() -> anyhow::Result<()> {
    build()?;
    run(&mut program("memory"))
}

fn build() -> anyhow::Result<()> {
    run(cargo().args(["build", "--release", "--package", "benches", "--bins"]))
}

/// A program of `benches` that was built for release.
pub(crate) fn program(name: &str) -> Command {
    let mut target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), Into::into);
    target.push("release");
    target.push(name);
    let mut command = Command::new(target);
    command.current_dir(root());
    command
}
