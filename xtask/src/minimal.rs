//! Builds every published crate with the lowest versions of its dependencies that its manifest permits.

use crate::cargo::{cargo, ensure_subcommand, root, run};
use crate::package;

/// Resolves the dependencies of the packed crates to the lowest versions, and builds with them.
///
/// The archives have no part in the workspace, whose unpublished crates would raise the versions; and their
/// manifests may be changed. Only direct dependencies are set to their lowest versions: those choose their own.
///
/// # Errors
///
/// If a dependency requires a later version of another than a manifest states, or a crate does not compile.
pub(crate) fn check() -> anyhow::Result<()> {
    ensure_subcommand("hack")?;
    let folder = root().join("target/minimal/workspace");
    let packages = package::unpack_all(&folder)?;
    run(cargo()
        .current_dir(&folder)
        .args(["hack", "--workspace", "--remove-dev-deps"]))?;
    run(cargo()
        .current_dir(&folder)
        .args(["generate-lockfile", "--quiet", "-Zdirect-minimal-versions"])
        // For cargo's option, on a stable toolchain.
        .env("RUSTC_BOOTSTRAP", "1"))?;
    run(cargo()
        .current_dir(&folder)
        .args(["check", "--quiet", "--workspace", "--all-features"])
        .arg("--target-dir")
        .arg(root().join("target/minimal")))?;
    println!(
        "{} crates build with the lowest versions of their dependencies",
        packages.len()
    );
    Ok(())
}
