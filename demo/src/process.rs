//! The process of a side, as the demo controls it.

use crate::arguments::{Export, Side};
use crate::serve::{Ready, Sample};
use anyhow::{Context, bail};
use serde::de::DeserializeOwned;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A running side. Dropping it ends the process.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) side: Side,
    pub(crate) address: SocketAddr,
    child: Child,
    /// `None` once the process is to end.
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Process {
    /// Starts this program again, as `side`.
    pub(crate) fn start(side: Side, export: &Export) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["serve", "--side", side.name(), "--endpoint"])
            .arg(&export.endpoint)
            .args(["--protocol", export.protocol.name()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        for (name, _) in std::env::vars_os() {
            if changes_the_comparison(&name.to_string_lossy()) {
                command.env_remove(name);
            }
        }
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start the process of the side {}", side.name()))?;
        let (Some(questions), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("the side {} has no pipes", side.name());
        };
        let mut process = Self {
            side,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            child,
            questions: Some(questions),
            answers: BufReader::new(answers),
        };
        process.address = process.read::<Ready>()?.address;
        Ok(process)
    }

    /// Lets the side export everything, and returns what it has used so far.
    pub(crate) fn sample(&mut self) -> anyhow::Result<Sample> {
        if let Some(questions) = &mut self.questions {
            // If the side has ended, its answer is missing.
            let _ = writeln!(questions, "sample");
        }
        self.read()
    }

    fn read<T: DeserializeOwned>(&mut self) -> anyhow::Result<T> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        if line.is_empty() {
            bail!(
                "the side {} ended with {}: see its output above",
                self.side.name(),
                self.child.wait()?
            );
        }
        serde_json::from_str(&line)
            .with_context(|| format!("the side {} printed {line:?}", self.side.name()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The side ends with its input. If it hangs, it is killed.
        self.questions = None;
        for _ in 0..50 {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns `true` if a variable changes how one side traces, or sends through a proxy. Headers stay, for collectors that need them.
fn changes_the_comparison(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    (name.starts_with("OTEL_") && !name.ends_with("_HEADERS"))
        || ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"].contains(&&*name)
}
