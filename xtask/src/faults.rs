//! The table of faults.

use crate::cargo::{cargo, run};

/// Prints it. What must hold after each fault is asserted while it is played.
pub(crate) fn play() -> anyhow::Result<()> {
    run(cargo()
        .args(["run", "--quiet", "--package", "zerospan-export"])
        .args(["--all-features", "--example", "faults"]))
}
