//! The committed counts, and what they depend on.

use crate::cargo::output;
use crate::cargo::root;
use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::process::Command;

/// Instructions per operation, by path.
pub(super) type Counts = BTreeMap<String, f64>;

/// The recorded counts.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    /// The day, in UTC.
    pub(super) date: String,
    #[serde(flatten)]
    pub(super) toolchain: Toolchain,
    /// For information: Callgrind counts the same on other processors.
    pub(super) cpu: String,
    pub(super) valgrind: String,
    pub(super) instructions: Counts,
}

/// The inputs that determine a program's instructions.
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
    /// The file, relative to the root of the workspace.
    pub(super) const PATH: &str = "benches/record/instructions.json";

    pub(super) fn new(
        toolchain: Toolchain,
        valgrind: String,
        instructions: Counts,
    ) -> anyhow::Result<Self> {
        let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let cpu = cpu.lines().find(|line| line.starts_with("model name"));
        let cpu = cpu.and_then(|line| line.split_once(':'));
        Ok(Self {
            date: output(Command::new("date").args(["-u", "+%Y-%m-%d"]))?,
            toolchain,
            cpu: cpu.map_or("unknown", |(_, name)| name.trim()).to_owned(),
            valgrind,
            instructions,
        })
    }

    pub(super) fn read() -> anyhow::Result<Self> {
        let remedy = || {
            let path = Self::PATH;
            format!("cannot read {path}: `cargo xtask guard --record` writes it")
        };
        let text = fs::read_to_string(root().join(Self::PATH)).with_context(remedy)?;
        serde_json::from_str(&text).with_context(remedy)
    }

    pub(super) fn write(&self) -> anyhow::Result<()> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        fs::write(root().join(Self::PATH), text)
            .with_context(|| format!("cannot write {}", Self::PATH))
    }
}

impl Toolchain {
    pub(super) fn current() -> anyhow::Result<Self> {
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let text = output(Command::new(rustc).arg("-vV").current_dir(root()))?;
        // Other C libraries than GNU's do not know this name.
        let libc = output(Command::new("getconf").arg("GNU_LIBC_VERSION"))
            .unwrap_or_else(|_| "no glibc".to_owned());
        Self::parse(&text, libc)
    }

    /// Parses the output of `rustc -vV`.
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

#[cfg(test)]
mod tests {
    use super::{Record, Toolchain};

    #[test]
    fn the_committed_record_can_be_read_and_written_without_a_change() {
        let record = Record::read().unwrap();
        let text = serde_json::to_string(&record).unwrap();
        let again: Record = serde_json::from_str(&text).unwrap();
        assert_eq!(again.toolchain, record.toolchain);
        assert_eq!(again.instructions, record.instructions);
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
