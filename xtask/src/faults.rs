//! Plays the faults of a collector and of the pipeline, and forks children beside threads at work.

use crate::cargo::{self, cargo};

/// Prints the table of faults, and the number of forked children that hung.
///
/// # Errors
///
/// If something that must hold after a fault does not.
pub(crate) fn run() -> anyhow::Result<()> {
    cargo::run(
        cargo()
            .args(["run", "--quiet", "--package", "zerospan-export"])
            .args(["--all-features", "--example", "faults"]),
    )?;
    cargo::run(
        cargo()
            .args(["test", "--quiet"])
            .args(["--package", "zerospan-trace", "--package", "zerospan-logs"])
            .args(["--all-features", "--test", "forked_children"])
            .args(["--", "--nocapture"]),
    )
}
