//! Checks the oldest Rust that the manifests promise.
//!
//! Clippy's lint `incompatible_msrv`, which `tidy` runs, finds items of the standard library that are newer. Here the dependencies
//! are compared, and the compiler itself is run where it is installed.

use crate::cargo::{cargo_of, is_published, output, published, root, run};
use anyhow::{Context, ensure};
use cargo_metadata::semver::Version;
use cargo_metadata::{CargoOpt, DependencyKind, Metadata, MetadataCommand, PackageId};
use std::collections::BTreeSet;
use std::process::Command;

/// # Errors
///
/// If a crate or a dependency needs a newer Rust, or does not compile with the oldest one.
pub(crate) fn check() -> anyhow::Result<()> {
    let metadata = MetadataCommand::new()
        .current_dir(root())
        .features(CargoOpt::AllFeatures)
        .other_options(["--locked".to_owned()])
        .exec()
        .context("`cargo metadata` failed")?;
    let promised = promised(&metadata)?;
    let used = used(&metadata);
    let newer: Vec<String> = metadata
        .packages
        .iter()
        .filter(|package| used.contains(&package.id))
        .filter_map(|package| {
            let needed = package.rust_version.as_ref()?;
            (*needed > promised)
                .then(|| format!("{} {} needs {needed}", package.name, package.version))
        })
        .collect();
    ensure!(
        newer.is_empty(),
        "the manifests promise Rust {promised}, but {}: take older versions of them, or raise `rust-version`",
        newer.join(", ")
    );
    println!(
        "none of {} packages needs a newer Rust than {promised}",
        used.len()
    );

    let Some(toolchain) = installed(&promised) else {
        println!(
            "skipped the build: Rust {promised} is not installed (`rustup toolchain install {promised}`)"
        );
        return Ok(());
    };
    let mut check = cargo_of(&toolchain);
    check.args(["check", "--locked", "--lib", "--all-features"]);
    // Another compiler's artifacts would replace those of the everyday build.
    check.args(["--target-dir", "target/msrv"]);
    for package in published()? {
        check.args(["--package", &package.name]);
    }
    run(&mut check)
}

/// Returns the `rust-version` that all published crates have.
fn promised(metadata: &Metadata) -> anyhow::Result<Version> {
    let members = metadata.workspace_packages();
    let versions: BTreeSet<Option<Version>> = members
        .iter()
        .filter(|package| is_published(package))
        .map(|package| package.rust_version.clone())
        .collect();
    ensure!(
        versions.len() == 1,
        "the published crates promise different Rusts: use `rust-version.workspace = true` in each manifest"
    );
    versions
        .into_iter()
        .flatten()
        .next()
        .context("no manifest has a `rust-version`")
}

/// Returns the published crates and all that building them needs, on every platform and with all features. What only tests
/// depend on is left out.
fn used(metadata: &Metadata) -> BTreeSet<PackageId> {
    let nodes = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
    let mut open: Vec<&PackageId> = metadata
        .workspace_packages()
        .into_iter()
        .filter(|package| is_published(package))
        .map(|package| &package.id)
        .collect();
    let mut used = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !used.insert(id.clone()) {
            continue;
        }
        let node = nodes.clone().find(|node| node.id == *id);
        for dependency in node.iter().flat_map(|node| &node.deps) {
            let kinds = &dependency.dep_kinds;
            if kinds
                .iter()
                .any(|found| found.kind != DependencyKind::Development)
            {
                open.push(&dependency.pkg);
            }
        }
    }
    used
}

/// Returns the name of an installed toolchain of `version`, without letting rustup install it.
fn installed(version: &Version) -> Option<String> {
    let list = output(Command::new("rustup").args(["toolchain", "list"])).ok()?;
    find(&list, version).map(str::to_owned)
}

/// Finds a toolchain in the output of `rustup toolchain list`.
fn find<'a>(list: &'a str, version: &Version) -> Option<&'a str> {
    let prefix = format!("{}.{}", version.major, version.minor);
    list.lines()
        .filter_map(|line| line.split_whitespace().next())
        .find(|name| {
            name.strip_prefix(&prefix)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
        })
}

#[cfg(test)]
mod tests {
    use super::find;
    use cargo_metadata::semver::Version;

    #[test]
    fn a_toolchain_is_found_by_major_and_minor_version() {
        let list = "stable-x86_64-unknown-linux-gnu (active, default)\n\
                    1.9.0-x86_64-unknown-linux-gnu\n\
                    1.90.0-x86_64-unknown-linux-gnu\n";
        let find = |minor| find(list, &Version::new(1, minor, 0));
        assert_eq!(find(90), Some("1.90.0-x86_64-unknown-linux-gnu"));
        assert_eq!(find(9), Some("1.9.0-x86_64-unknown-linux-gnu"));
        assert_eq!(find(91), None);
    }
}
