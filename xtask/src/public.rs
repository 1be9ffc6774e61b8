//! Checks that public signatures show types of other crates only where the crate's manifest lists them.

use crate::cargo::{announce, cargo, ensure_subcommand, line, published, root};
use anyhow::{Context, bail};

/// # Errors
///
/// If a crate's public signature shows a type that `[package.metadata.cargo_check_external_types]` of its manifest does not list.
pub(crate) fn check() -> anyhow::Result<()> {
    ensure_subcommand("check-external-types")?;
    let packages = published()?;
    let mut failed = Vec::new();
    for package in &packages {
        let mut check = cargo();
        check
            .args(["check-external-types", "--all-features"])
            .arg("--manifest-path")
            .arg(&package.manifest_path)
            // For JSON from rustdoc, on a stable toolchain.
            .env("RUSTC_BOOTSTRAP", "1")
            // Build scripts look at that variable: in the usual directory, they would run again and again.
            .env("CARGO_TARGET_DIR", root().join("target/public"));
        announce(&check);
        let output = check
            .output()
            .with_context(|| format!("cannot start {}", line(&check)))?;
        let said =
            String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        if said.contains("this tool requires format version") {
            println!(
                "skipped: cargo-check-external-types cannot read the JSON of this toolchain's rustdoc"
            );
            return Ok(());
        }
        if !output.status.success() {
            eprintln!("{said}");
            failed.push(package.name.as_str());
        }
    }
    if !failed.is_empty() {
        bail!(
            "a type of another crate is in a public signature of {}: hide it, or list it in the crate's manifest",
            failed.join(", ")
        );
    }
    println!(
        "public signatures of {} crates show no type that is not listed",
        packages.len()
    );
    Ok(())
}
