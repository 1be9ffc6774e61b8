//! Checks from end to end: programs that are not ours read what we write and send.

mod delivery;
mod programs;
pub(crate) mod receivers;

use crate::cargo::{cargo, root, run};
use crate::python::Python;
use clap::{Args, ValueEnum};

/// Send to real receivers, and decode our output with other implementations.
#[derive(Debug, Default, Args)]
pub(crate) struct E2e {
    /// Run only this part.
    #[arg(long)]
    only: Option<Part>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Parse files that we write with the official Python classes, which serialise them to the same bytes.
    Decode,
    /// Send spans and log records at once to independent receivers over every protocol, compression and kind of TLS.
    Deliver,
    /// Run programs that log, and compare what a receiver decodes with the output of the official bridges.
    Programs,
}

impl E2e {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let Some(python) = Python::or_skip("e2e") else {
            return Ok(());
        };
        let wanted = |part| self.only.is_none_or(|only| only == part);
        if wanted(Part::Decode) {
            decode(&python)?;
        }
        if wanted(Part::Deliver) {
            delivery::check(&python)?;
        }
        if wanted(Part::Programs) {
            programs::compare(&python)?;
        }
        Ok(())
    }
}

fn decode(python: &Python) -> anyhow::Result<()> {
    let samples = root().join("target/e2e/samples");
    run(cargo()
        .args([
            "run",
            "--quiet",
            "--package",
            "zerospan-otlp",
            "--all-features",
        ])
        .args(["--example", "write_samples", "--"])
        .arg(&samples))?;
    run(python.script("decode.py").arg(&samples))
}
