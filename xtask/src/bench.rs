//! What is measured: the budgets, the criterion benchmarks, the memory table.

use crate::cargo::{cargo, root, run};
use crate::peers;
use clap::Args;
use std::process::Command;

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

/// Run the criterion benchmarks, for exploring; or compare with what a user could pick instead.
#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// Print the tables of the peers: each in processes of its own, on the same work, its output decoded.
    #[arg(long, conflicts_with = "arguments")]
    peers: bool,
    /// With `--peers`: one process for each figure, in place of five.
    #[arg(long, requires = "peers")]
    quick: bool,
    /// What `cargo bench` takes: `--bench NAME`, then `--` and what criterion takes.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

impl Bench {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        if self.peers {
            return peers::compare(self.quick);
        }
        run(cargo()
            .args(["bench", "--package", "benches"])
            .args(self.arguments))
    }
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
