//! Runs the demo.

use crate::cargo::{cargo, root, run};
use clap::Args;

/// Trace three real services with zerospan and with the official SDK, and compare what tracing costs.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Arguments of the demo: `--requests N`, `--api`, `--official`, `--endpoint URL --protocol grpc|http/protobuf`, `--out FOLDER`, `--help`.
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "ARGUMENTS"
    )]
    arguments: Vec<String>,
}

impl Demo {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), Into::into);
        let mut demo = cargo();
        demo.args(["run", "--release", "--package", "demo"]);
        if self
            .arguments
            .iter()
            .any(|argument| argument.ends_with("grpc"))
        {
            demo.args(["--features", "grpc"]);
        }
        demo.args(["--", "--out"])
            .arg(target.join("demo"))
            .args(self.arguments);
        run(&mut demo)
    }
}
