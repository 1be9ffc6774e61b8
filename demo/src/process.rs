//! A side, seen from the demo: the process that serves it.

use crate::arguments::{Export, Side};
use crate::child::{Ready, Sample};
use anyhow::{Context, bail};
use serde::de::DeserializeOwned;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Ends with the value.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) side: Side,
    pub(crate) address: SocketAddr,
    child: Child,
    /// `None` once the side was told to end.
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Process {
    /// Starts this program once more, as `side`.
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
            .with_context(|| format!("cannot start the side {}", side.name()))?;
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

    /// Has the side export everything, and say what it used so far.
    pub(crate) fn sample(&mut self) -> anyhow::Result<Sample> {
        if let Some(questions) = &mut self.questions {
            // A side that has ended is noticed by its missing answer.
            let _ = writeln!(questions, "sample");
        }
        self.read()
    }

    fn read<T: DeserializeOwned>(&mut self) -> anyhow::Result<T> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        if line.is_empty() {
            bail!(
                "the side {} ended with {}: what it printed above says why",
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
        // The end of its input is what the side waits for. It has nothing left to do: kill it, should it hang.
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

/// Whether a variable would make one side trace otherwise, or send through a proxy. How to get past a collector's door is left.
fn changes_the_comparison(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    (name.starts_with("OTEL_") && !name.ends_with("_HEADERS"))
        || ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"].contains(&&*name)
}
