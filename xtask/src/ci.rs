//! All that must pass before a change lands.

use crate::cargo::{self, cargo, ensure_subcommand};
use crate::e2e::E2e;
use crate::instructions::Guard;
use crate::tidy::Tidy;
use crate::{loom, test};
use std::time::Instant;

pub(crate) fn run() -> anyhow::Result<()> {
    let start = Instant::now();
    Tidy::default().run()?;
    let counts = test::run()?;
    loom::run()?;
    features()?;
    E2e::default().run()?;
    Guard::default().run()?;
    println!("\nci passed in {} s", start.elapsed().as_secs());
    println!("{counts}");
    Ok(())
}

/// Builds every combination of features of every crate that is published, with warnings denied.
fn features() -> anyhow::Result<()> {
    ensure_subcommand("hack")?;
    cargo::run(
        cargo()
            .args(["hack", "clippy", "--workspace"])
            .args(["--exclude", "benches", "--exclude", "demo"])
            .args(["--exclude", "replay", "--exclude", "xtask"])
            .args(["--feature-powerset", "--depth", "2", "--lib"])
            .args(["--", "--deny", "warnings"]),
    )
}
