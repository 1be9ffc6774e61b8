//! What was counted, on which machine, and when: a file that is committed.

use super::{Counts, path_of};
use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs;
use std::process::Command;

/// The recorded counts, and what they belong to.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    /// The day, in UTC.
    pub(super) date: String,
    #[serde(flatten)]
    pub(super) toolchain: Toolchain,
    /// For the reader: see the module `guard` for why another processor gives the same counts.
    pub(super) cpu: String,
    pub(super) valgrind: String,
    /// Per operation, by path.
    pub(super) instructions: Counts,
}

/// What decides which instructions a program consists of.
#[derive(Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(super) struct Toolchain {
    /// `rustc --version`.
    pub(super) rustc: String,
    /// The target triple.
    pub(super) host: String,
    /// The C library, which copies memory and manages the heap.
    pub(super) libc: String,
}

impl Record {
    /// Where the record lies, from the root of the workspace.
    pub(super) const PATH: &str = "benches/record/instructions.json";

    pub(super) fn new(
        toolchain: Toolchain,
        valgrind: &str,
        instructions: Counts,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            date: answer(Command::new("date").args(["-u", "+%Y-%m-%d"]))?,
            toolchain,
            cpu: cpu()?,
            valgrind: valgrind.to_owned(),
            instructions,
        })
    }

    pub(super) fn read() -> anyhow::Result<Self> {
        let text = fs::read_to_string(path_of(Self::PATH)).with_context(|| {
            format!(
                "{} cannot be read: cargo xtask guard --record writes it",
                Self::PATH
            )
        })?;
        serde_json::from_str(&text).with_context(|| {
            format!(
                "{} is not a record: cargo xtask guard --record writes one",
                Self::PATH
            )
        })
    }

    pub(super) fn write(&self) -> anyhow::Result<()> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        fs::write(path_of(Self::PATH), text)
            .with_context(|| format!("{} cannot be written", Self::PATH))
    }
}

impl Toolchain {
    pub(super) fn in_use() -> anyhow::Result<Self> {
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let text = answer(
            Command::new(rustc)
                .arg("-vV")
                .current_dir(crate::cargo::root()),
        )?;
        // Another C library than GNU's knows no such name.
        let libc = answer(Command::new("getconf").arg("GNU_LIBC_VERSION"))
            .unwrap_or_else(|_| "no glibc".to_owned());
        Self::parse(&text, libc)
    }

    /// Reads what `rustc -vV` prints.
    fn parse(text: &str, libc: String) -> anyhow::Result<Self> {
        let host = text.lines().find_map(|line| line.strip_prefix("host: "));
        match (text.lines().next(), host) {
            (Some(rustc), Some(host)) => Ok(Self {
                rustc: rustc.to_owned(),
                host: host.to_owned(),
                libc,
            }),
            _ => bail!("`rustc -vV` printed neither version nor host: {text}"),
        }
    }
}

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} for {} with {}", self.rustc, self.host, self.libc)
    }
}

/// The processor, as the kernel names it.
fn cpu() -> anyhow::Result<String> {
    let text =
        fs::read_to_string("/proc/cpuinfo").context("the processor's name is not to be had")?;
    let name = text
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or("unnamed", |(_, name)| name.trim());
    Ok(name.to_owned())
}

fn answer(command: &mut Command) -> anyhow::Result<String> {
    let line = crate::cargo::line(command);
    let output = command
        .output()
        .with_context(|| format!("cannot start {line}"))?;
    if !output.status.success() {
        bail!("{line} ended with {}", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_as_it_was_written() {
        let record = Record {
            date: "2026-01-31".to_owned(),
            toolchain: Toolchain {
                rustc: "rustc 1.95.0 (0 2026-04-14)".to_owned(),
                host: "x86_64-unknown-linux-gnu".to_owned(),
                libc: "glibc 2.36".to_owned(),
            },
            cpu: "some processor".to_owned(),
            valgrind: "valgrind-3.19.0".to_owned(),
            instructions: [("a".to_owned(), 12.345)].into(),
        };
        let text = serde_json::to_string(&record).unwrap();
        let read: Record = serde_json::from_str(&text).unwrap();
        assert_eq!(read.toolchain, record.toolchain);
        assert_eq!(read.instructions, record.instructions);
        assert_eq!(read.date, record.date);
    }

    #[test]
    fn the_toolchain_is_compiler_target_and_c_library() {
        let text = "rustc 1.95.0 (0 2026-04-14)\nbinary: rustc\nhost: x86_64-unknown-linux-gnu\n";
        let toolchain = Toolchain::parse(text, "glibc 2.36".to_owned()).unwrap();
        assert_eq!(
            toolchain.to_string(),
            "rustc 1.95.0 (0 2026-04-14) for x86_64-unknown-linux-gnu with glibc 2.36"
        );
        assert!(Toolchain::parse("", String::new()).is_err());
    }
}
