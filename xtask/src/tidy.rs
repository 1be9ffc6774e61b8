//! Checks of what a reader sees: dependencies between crates, imports between files, format, lints, docs, links.

mod cycles;
mod dependencies;
mod file;
mod functions;
mod hygiene;
mod invariants;
mod layout;
mod links;
mod operating;
mod sdk;
mod versions;

use crate::cargo::{cargo, run};
use anyhow::bail;
use clap::Args;

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
        let files = file::read_tracked()?;
        let mut findings = dependencies::check(&files)?;
        findings.extend(cycles::check()?);
        findings.extend(layout::check()?);
        findings.extend(hygiene::check(&files));
        findings.extend(links::check(&files));
        findings.extend(invariants::check(&files));
        findings.extend(operating::check(&files));
        findings.extend(sdk::check(&files));
        findings.extend(versions::check(&files)?);
        report(&findings)?;
        println!(
            "dependencies, imports, layout, links and hygiene of {} files are tidy",
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
