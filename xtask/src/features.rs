//! Builds every crate with each of its features alone and with every pair of them.

use crate::cargo::{cargo, ensure_subcommand, published, run};

/// # Errors
///
/// If a combination does not compile, or has a warning.
pub(crate) fn check() -> anyhow::Result<()> {
    ensure_subcommand("hack")?;
    let mut hack = cargo();
    hack.args(["hack", "clippy"]);
    for package in published()? {
        hack.args(["--package", &package.name]);
    }
    run(hack
        .args(["--feature-powerset", "--depth", "2", "--lib"])
        .args(["--", "--deny", "warnings"]))
}
