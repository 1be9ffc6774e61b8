//! What a reader sees, checked: edges between crates, format, lints, docs, links, hygiene.

mod edges;
mod hygiene;
mod invariants;
mod layout;
mod links;

use crate::cargo::{cargo, run as run_command};
use anyhow::bail;
use std::path::PathBuf;
use std::process::Command;

/// Runs every check; those that only read come first, since they are done in a second.
///
/// # Errors
///
/// If a check finds something: each finding is printed with its place.
pub(crate) fn run() -> anyhow::Result<()> {
    let files = tracked_files()?;
    let mut findings = edges::check()?;
    findings.extend(layout::check()?);
    findings.extend(hygiene::check(&files));
    findings.extend(links::check(&files));
    findings.extend(invariants::check(&files));
    if !findings.is_empty() {
        for finding in &findings {
            eprintln!("{finding}");
        }
        bail!("tidy found {} things to mend", findings.len());
    }
    println!(
        "edges, layout, links and hygiene of {} files are tidy",
        files.len()
    );

    run_command(cargo().args(["fmt", "--all", "--check"]))?;
    run_command(
        cargo()
            .args(["clippy", "--workspace", "--all-targets", "--all-features"])
            .args(["--", "--deny", "warnings"]),
    )?;
    run_command(
        cargo()
            .args(["doc", "--workspace", "--no-deps", "--all-features"])
            .env("RUSTDOCFLAGS", "--deny warnings"),
    )
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
