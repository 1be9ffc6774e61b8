//! Checks of what a reader sees: dependencies between crates, imports between files, format, lints, docs, links.

mod cycles;
mod edges;
mod hygiene;
mod invariants;
mod layout;
mod links;

use crate::cargo::{cargo, run};
use anyhow::bail;
use clap::Args;
use std::path::PathBuf;
use std::process::Command;

/// Check what a reader sees: dependencies between crates, imports between files, format, lints, docs, links.
#[derive(Debug, Default, Args)]
pub(crate) struct Tidy {
    /// Check only that imports between the files of a crate form no cycle.
    #[arg(long)]
    cycles: bool,
}

impl Tidy {
    /// Runs every check, those that only read files first: they take a second.
    ///
    /// # Errors
    ///
    /// If a check finds something. Each finding is printed with its place.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        if self.cycles {
            return report(&cycles::check()?);
        }
        let files = tracked_files()?;
        let mut findings = edges::check()?;
        findings.extend(layout::check()?);
        findings.extend(hygiene::check(&files));
        findings.extend(links::check(&files));
        findings.extend(invariants::check(&files));
        report(&findings)?;
        println!(
            "edges, layout, links and hygiene of {} files are tidy",
            files.len()
        );

        run(cargo().args(["fmt", "--all", "--check"]))?;
        run(cargo()
            .args(["clippy", "--workspace", "--all-targets", "--all-features"])
            .args(["--", "--deny", "warnings"]))?;
        run(cargo()
            .args(["doc", "--workspace", "--no-deps", "--all-features"])
            .env("RUSTDOCFLAGS", "--deny warnings"))
    }
}

fn report(findings: &[String]) -> anyhow::Result<()> {
    for finding in findings {
        eprintln!("{finding}");
    }
    match findings.len() {
        0 => Ok(()),
        count => bail!("tidy: {count} findings, listed above"),
    }
}

/// A text file that is part of the project.
struct File {
    /// From the root of the workspace.
    path: PathBuf,
    text: String,
}

/// The text files that git tracks or would track.
fn tracked_files() -> anyhow::Result<Vec<File>> {
    let root = crate::cargo::root();
    let output = Command::new("git")
        .args([
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "-z",
        ])
        .current_dir(&root)
        .output()?;
    if !output.status.success() {
        bail!("`git ls-files` failed: tidy needs a git checkout");
    }
    let names = String::from_utf8(output.stdout)?;
    let files = names.split_terminator('\0').filter_map(|name| {
        let text = std::fs::read_to_string(root.join(name)).ok()?;
        Some(File {
            path: name.into(),
            text,
        })
    });
    Ok(files.collect())
}
