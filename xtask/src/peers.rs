//! What a user could pick instead, on the same work: the program `peers` of `benches`, which writes `target/bench/peers.json`.

use crate::bench::program;
use crate::cargo::{cargo, run};

/// Builds the programs and runs the one that runs the others.
///
/// # Errors
///
/// If a process fails, as it does where what arrives is not what was recorded.
pub(crate) fn compare(quick: bool) -> anyhow::Result<()> {
    run(cargo()
        .args(["build", "--release", "--package", "benches", "--bins"])
        .args(["--features", "peers"]))?;
    let mut peers = program("peers");
    if quick {
        peers.arg("--quick");
    }
    run(&mut peers)
}
