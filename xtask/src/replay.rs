//! Real traces, emitted anew through the tracer.

use crate::cargo::{cargo, root, run};
use anyhow::Context;
use clap::Args;
use std::ffi::OsString;

/// Emit traces in Zipkin v2 JSON anew through the tracer, to a collector or a file.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Replay {
    /// What the program `replay` takes: `--help` lists it.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

impl Replay {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        // Files are named from where the caller stands.
        let here = std::env::current_dir().context("the current directory is gone")?;
        run(cargo()
            .current_dir(here)
            .args(["run", "--quiet", "--package", "replay", "--manifest-path"])
            .arg(root().join("Cargo.toml"))
            .arg("--")
            .args(self.arguments))
    }
}
