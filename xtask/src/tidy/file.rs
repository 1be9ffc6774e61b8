//! The text files of the project.

use anyhow::bail;
use std::path::PathBuf;
use std::process::Command;

pub(super) struct File {
    /// Relative to the root of the workspace.
    pub(super) path: PathBuf,
    pub(super) text: String,
}

/// Reads the text files that git tracks or would track.
pub(super) fn read_tracked() -> anyhow::Result<Vec<File>> {
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
        bail!("`git ls-files` failed: run tidy in a git checkout");
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
