//! Builds every crate with each of its features alone and with every pair of them, and runs what must work without any.

use crate::cargo::{cargo, ensure_subcommand, published, run};

/// # Errors
///
/// If a combination does not compile, or has a warning, or a pipeline does not work without a protocol.
pub(crate) fn check() -> anyhow::Result<()> {
    ensure_subcommand("hack")?;
    let mut hack = cargo();
    hack.args(["hack", "clippy"]);
    for package in published()? {
        hack.args(["--package", &package.name]);
    }
    run(hack
        .args(["--feature-powerset", "--depth", "2", "--lib"])
        .args(["--", "--deny", "warnings"]))?;
    // The tests of the crates below enable every protocol.
    run(cargo()
        .args(["test", "--package", "zerospan-trace"])
        .args(["--no-default-features", "--test", "it"])
        .args(["--", "a_pipeline_with_a_transport_needs_no_protocol"]))
}
