//! Callgrind, run on the program `instructions`.

use super::{Counts, path_of};
use crate::bench::program;
use crate::cargo::line;
use anyhow::{Context, bail};
use std::fs;
use std::process::Command;

/// Where Callgrind's profiles go, one for each path.
pub(super) const DIRECTORY: &str = "target/guard";

/// The function within which instructions are counted, as it is called in Rust or after mangling.
const COUNTED_FUNCTION: &str = "*run_counted_path*";

/// A valgrind that answers.
pub(super) struct Counter {
    version: String,
}

impl Counter {
    pub(super) fn find() -> Option<Self> {
        let output = Command::new("valgrind").arg("--version").output().ok()?;
        output.status.success().then(|| Self {
            version: String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        })
    }

    pub(super) fn version(&self) -> &str {
        &self.version
    }

    /// Counts every path that the program knows.
    ///
    /// # Errors
    ///
    /// If the program fails, as it does where what a path does is wrong.
    pub(super) fn count_all(&self) -> anyhow::Result<Counts> {
        fs::create_dir_all(path_of(DIRECTORY))?;
        answer(&mut program("instructions"))?
            .lines()
            .map(|path| Ok((path.to_owned(), count(path)?)))
            .collect()
    }
}

/// Instructions per operation, to a thousandth.
fn count(path: &str) -> anyhow::Result<f64> {
    let profile = path_of(DIRECTORY).join(format!("{path}.out"));
    let program = program("instructions");
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--quiet", "--tool=callgrind"])
        .arg(format!("--toggle-collect={COUNTED_FUNCTION}"))
        // A file that was left over is not added to.
        .arg("--combine-dumps=no")
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(program.get_program())
        .arg(path)
        // What else the environment holds, debug output above all, does not belong to the path.
        .env_remove("RUST_LOG")
        .env_remove("RUST_BACKTRACE");
    let operations: f64 = answer(&mut valgrind)?
        .trim()
        .parse()
        .with_context(|| format!("{} did not print a number", line(&valgrind)))?;
    let text =
        fs::read_to_string(&profile).with_context(|| format!("{path}: no profile was written"))?;
    let instructions = total(&text).with_context(|| format!("{path}: the profile has no total"))?;
    if instructions == 0.0 {
        bail!(
            "{path}: no instruction was counted: is {COUNTED_FUNCTION} still a function of its own?"
        );
    }
    Ok((instructions / operations * 1e3).round() / 1e3)
}

/// The line `totals: N` of a profile.
fn total(profile: &str) -> Option<f64> {
    profile
        .lines()
        .find_map(|line| line.strip_prefix("totals:"))?
        .trim()
        .parse()
        .ok()
}

/// What `command` prints.
fn answer(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .output()
        .with_context(|| format!("cannot start {}", line(command)))?;
    if !output.status.success() {
        bail!(
            "{} ended with {}: {}",
            line(command),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::total;

    #[test]
    fn the_total_of_a_profile_is_found() {
        let profile = "version: 1\nevents: Ir\nsummary: 7\n\nfn=(1) run\n3 7\n\ntotals: 4711\n";
        assert_eq!(total(profile), Some(4711.0));
        assert_eq!(total("version: 1\n"), None);
    }
}
