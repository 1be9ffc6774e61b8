//! Checks what dependencies may be: their licences, versions and sources, as `deny.toml` says.

use crate::cargo::{cargo, ensure_subcommand, run};
use clap::Args;

/// Check the licences, versions and sources of every dependency, as `deny.toml` says.
#[derive(Debug, Default, Args)]
pub(crate) struct Deny {
    /// Check for security advisories and yanked versions too (fetches the advisories from the network).
    #[arg(long)]
    advisories: bool,
}

impl Deny {
    /// # Errors
    ///
    /// If a dependency is not permitted.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        ensure_subcommand("deny")?;
        let mut deny = cargo();
        // Lists only what fails: for each duplicate, the tree above it would fill pages.
        deny.args(["deny", "--log-level", "error"])
            .args(["check", "bans", "licenses", "sources"]);
        if self.advisories {
            deny.arg("advisories");
        }
        run(&mut deny)
    }
}
