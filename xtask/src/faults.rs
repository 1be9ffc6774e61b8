//! Plays the faults of a collector and of the pipeline.

use crate::cargo::{self, cargo};

/// Prints the table of faults.
///
/// # Errors
///
/// If something that must hold after a fault does not.
pub(crate) fn run() -> anyhow::Result<()> {
    cargo::run(
        cargo()
            .args(["run", "--quiet", "--package", "zerospan-export"])
            .args(["--all-features", "--example", "faults"]),
    )
}
