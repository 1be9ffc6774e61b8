//! Measurements: budgets, growth, peers, criterion benchmarks, the memory table.

use crate::cargo::{cargo, root, run};
use anyhow::ensure;
use clap::Args;
use std::path::PathBuf;
use std::process::Command;

/// Measure every row and compare the ratio with its budget.
#[derive(Debug, Args)]
pub(crate) struct Budget {
    /// Measure only rows whose identifier starts with this: `otlp`, `pool.span`.
    #[arg(long, value_name = "PREFIX")]
    only: Option<String>,
    /// Measure for a fraction of the time: figures scatter more.
    #[arg(long)]
    quick: bool,
    /// Print the rows and their budgets; measure nothing.
    #[arg(long)]
    list: bool,
}

impl Budget {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        build()?;
        let only = self.only.as_deref().unwrap_or_default();
        if !self.list && ("service".starts_with(only) || only.starts_with("service")) {
            build_demo()?;
        }
        let mut budget = program("benches");
        budget.arg("budget");
        if let Some(prefix) = self.only {
            budget.args(["--only", &prefix]);
        }
        if self.list {
            budget.arg("--list");
        }
        run(with_length(&mut budget, self.quick))
    }
}

/// Run the criterion benchmarks; or compare the peers; or measure everything and renew the page of benchmarks.
#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// Compare with what a user could pick instead; print the tables and write `target/bench/peers.json`.
    #[arg(long, conflicts_with = "arguments")]
    peers: bool,
    /// Measure budgets, growth and peers into `target/bench`, then renew `docs/benchmarks.md` and its picture.
    #[arg(long, conflicts_with_all = ["arguments", "peers"])]
    report: bool,
    /// With `--peers` or `--report`: measure for a fraction of the time; figures scatter more.
    #[arg(long, conflicts_with = "arguments")]
    quick: bool,
    /// Arguments of `cargo bench`: `--bench NAME`, then `--` and those of criterion.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

impl Bench {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        if self.report {
            return report(self.quick);
        }
        if self.peers {
            return peers(self.quick);
        }
        ensure!(
            !self.quick,
            "--quick needs --peers or --report; options of criterion follow `--`"
        );
        run(cargo()
            .args(["bench", "--package", "benches"])
            .args(self.arguments))
    }
}

fn report(quick: bool) -> anyhow::Result<()> {
    build()?;
    build_demo()?;
    // A missed row is a result for the report too; `report` fails where figures are missing.
    if let Err(error) = run(with_length(program("benches").arg("budget"), quick)) {
        eprintln!("{error:#}");
    }
    run(with_length(program("benches").arg("growth"), quick))?;
    peers(quick)?;
    run(program("benches").arg("report"))
}

/// The peers are a package outside the workspace.
const PEERS: &str = "benches/peers/Cargo.toml";

/// Lints the peers, which the tasks for the workspace leave out.
pub(crate) fn check_peers() -> anyhow::Result<()> {
    run(cargo()
        .args(["clippy", "--all-targets", "--manifest-path", PEERS])
        .arg("--target-dir")
        .arg(target().join("peers"))
        .args(["--", "--deny", "warnings"]))
}

/// Builds and compares the peers.
fn peers(quick: bool) -> anyhow::Result<()> {
    let target = target().join("peers");
    run(cargo()
        .args(["build", "--release", "--bins", "--manifest-path", PEERS])
        .arg("--target-dir")
        .arg(&target))?;
    let mut peers = Command::new(target.join("release/peers"));
    peers.current_dir(root()).arg("compare");
    run(with_length(&mut peers, quick))
}

/// Prints the memory table.
pub(crate) fn memory() -> anyhow::Result<()> {
    build()?;
    run(program("counting").arg("memory"))
}

fn with_length(program: &mut Command, quick: bool) -> &mut Command {
    if quick {
        program.arg("--quick");
    }
    program
}

fn build() -> anyhow::Result<()> {
    run(cargo().args(["build", "--release", "--package", "benches", "--bins"]))
}

/// Builds the services that the rows `service` are measured in.
fn build_demo() -> anyhow::Result<()> {
    run(cargo().args(["build", "--release", "--package", "demo", "--bins"]))
}

/// Returns a program of the package `benches`, built for release.
pub(crate) fn program(name: &str) -> Command {
    let mut command = Command::new(target().join("release").join(name));
    command.current_dir(root());
    command
}

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), Into::into)
}
