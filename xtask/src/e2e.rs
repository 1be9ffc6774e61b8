//! End to end: what we write and send, as programs that are not ours read it.

mod delivery;
pub(crate) mod python;
pub(crate) mod receivers;

use crate::cargo::{cargo, root, run};
use clap::{Args, ValueEnum};
use python::Python;

/// Send to real receivers, and have other implementations decode what we write.
#[derive(Debug, Default, Args)]
pub(crate) struct E2e {
    /// Run only this part.
    #[arg(long)]
    only: Option<Part>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The official Python classes parse files that we write, and serialise them to the same bytes.
    Decode,
    /// Receivers of two lineages take what we send, over every protocol, compression and kind of TLS.
    Deliver,
}

impl E2e {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let Some(python) = Python::or_skip() else {
            return Ok(());
        };
        let wanted = |part| self.only.is_none_or(|only| only == part);
        if wanted(Part::Decode) {
            decode(&python)?;
        }
        if wanted(Part::Deliver) {
            delivery::check(&python)?;
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
