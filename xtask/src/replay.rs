//! Sends recorded traces through the tracer.

use crate::cargo::{cargo, root, run};
use anyhow::Context;
use clap::Args;
use std::ffi::OsString;

/// Send traces from files in the JSON of Zipkin (v2), Jaeger or OTLP through the tracer, to a collector or a file.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Replay {
    /// Arguments of the program `replay`: `--help` lists them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

impl Replay {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        // Paths are relative to the caller's directory.
        let here = std::env::current_dir().context("the current directory cannot be found")?;
        run(cargo()
            .current_dir(here)
            .args(["run", "--quiet", "--package", "replay", "--manifest-path"])
            .arg(root().join("Cargo.toml"))
            .arg("--")
            .args(self.arguments))
    }
}
