//! Fuzzes everything that parses.

use crate::cargo::{ensure_subcommand, nightly_cargo, root, run};
use anyhow::{Context, bail};
use clap::Args;

/// Fuzz everything that parses, under AddressSanitizer (needs a nightly toolchain).
#[derive(Debug, Args)]
pub(crate) struct Fuzz {
    /// List the targets and what each one checks.
    #[arg(long)]
    list: bool,
    /// Fuzz only this target.
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
    /// The minutes that each target runs.
    #[arg(long, default_value_t = 1)]
    minutes: u64,
}

impl Fuzz {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let targets = targets()?;
        if self.list {
            for target in &targets {
                println!("{:<12} {}", target.name, target.checks);
            }
            return Ok(());
        }
        if nightly_cargo().is_none() {
            println!(
                "skipped: fuzzing needs a nightly toolchain (`rustup toolchain install nightly`)"
            );
            return Ok(());
        }
        ensure_subcommand("fuzz")?;
        let chosen: Vec<&Target> = targets
            .iter()
            .filter(|target| self.target.as_ref().is_none_or(|name| *name == target.name))
            .collect();
        if chosen.is_empty() {
            bail!(
                "no fuzz target is called `{}`: `cargo xtask fuzz --list` lists them",
                self.target.unwrap_or_default()
            );
        }
        for target in chosen {
            let mut fuzz = nightly_cargo().context("the nightly toolchain is gone")?;
            let seconds = format!("-max_total_time={}", self.minutes * 60);
            fuzz.args(["fuzz", "run", &target.name]);
            let suppressions = root().join("fuzz/leak-suppressions.txt");
            fuzz.env(
                "LSAN_OPTIONS",
                format!("suppressions={}", suppressions.display()),
            );
            // New inputs go into the first folder.
            let seeds = format!("fuzz/seeds/{}", target.name);
            if root().join(&seeds).is_dir() {
                let corpus = format!("fuzz/corpus/{}", target.name);
                std::fs::create_dir_all(root().join(&corpus))?;
                fuzz.args([corpus, seeds]);
            }
            run(fuzz.args(["--", &seconds, "-print_final_stats=1"]))?;
            println!(
                "fuzzed {} for {} min: {}",
                target.name, self.minutes, target.checks
            );
        }
        Ok(())
    }
}

struct Target {
    name: String,
    checks: String,
}

/// Returns the files of `fuzz/fuzz_targets`, each with the first line of its documentation.
fn targets() -> anyhow::Result<Vec<Target>> {
    let folder = root().join("fuzz/fuzz_targets");
    let mut targets = Vec::new();
    let entries = folder
        .read_dir()
        .with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let checks = text
            .lines()
            .find_map(|line| line.strip_prefix("//! "))
            .unwrap_or("(no description)");
        targets.push(Target {
            name: path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            checks: checks.to_owned(),
        });
    }
    targets.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(targets)
}
