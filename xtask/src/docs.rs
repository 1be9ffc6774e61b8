//! Builds the documentation as docs.rs does: with a nightly toolchain, all features, and a badge on what belongs to a feature.

use crate::cargo::{nightly_cargo, published, run};
use anyhow::Context;

/// # Errors
///
/// If there is no nightly toolchain, or rustdoc finds something.
pub(crate) fn build() -> anyhow::Result<()> {
    let mut doc = nightly_cargo()
        .context("docs.rs builds with a nightly toolchain: `rustup toolchain install nightly`")?;
    doc.args(["doc", "--no-deps", "--all-features"])
        .args(["--target-dir", "target/docs.rs"])
        .env("RUSTDOCFLAGS", "--cfg docsrs --deny warnings");
    for package in published()? {
        doc.args(["--package", &package.name]);
    }
    run(&mut doc)
}
