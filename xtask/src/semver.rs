//! Compares the public API of every published crate with an earlier one.

use crate::cargo::{cargo, ensure_subcommand, output, published, root, run};
use clap::Args;
use std::path::PathBuf;
use std::process::Command;

/// Compare the public API with an earlier one, and list what a release must announce as breaking.
#[derive(Debug, Default, Args)]
pub(crate) struct Semver {
    /// The revision to compare with. Without it, the latest tag `v*`: the last release.
    #[arg(long, value_name = "REVISION")]
    baseline: Option<String>,
    /// A folder with the workspace to compare with, such as an unpacked release.
    #[arg(long, value_name = "FOLDER", conflicts_with = "baseline")]
    baseline_root: Option<PathBuf>,
    /// Compare only this crate.
    #[arg(long = "crate", value_name = "CRATE")]
    package: Option<String>,
    /// The release that is planned, where the version in the manifests is still the old one: `major`, `minor` or `patch`.
    #[arg(long, value_name = "KIND")]
    release_type: Option<String>,
}

impl Semver {
    /// # Errors
    ///
    /// If the API differs by more than the version, or the planned release, permits.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let (option, baseline) = match (self.baseline_root, self.baseline.or_else(last_release)) {
            (Some(folder), _) => ("--baseline-root", folder),
            (None, Some(revision)) => ("--baseline-rev", revision.into()),
            (None, None) => {
                println!("skipped: nothing is released yet; name a revision with --baseline");
                return Ok(());
            }
        };
        ensure_subcommand("semver-checks")?;
        let mut semver = cargo();
        semver.args(["semver-checks", "--all-features"]);
        match self.package {
            Some(package) => _ = semver.args(["--package", &package]),
            None => {
                for package in published()? {
                    semver.args(["--package", &package.name]);
                }
            }
        }
        semver.arg(option).arg(baseline);
        if let Some(kind) = self.release_type {
            semver.args(["--release-type", &kind]);
        }
        run(&mut semver)
    }
}

/// Returns the latest tag of a release that the current revision descends from.
fn last_release() -> Option<String> {
    let mut describe = Command::new("git");
    describe
        .args(["describe", "--tags", "--abbrev=0", "--match", "v*"])
        .current_dir(root());
    output(&mut describe).ok()
}
