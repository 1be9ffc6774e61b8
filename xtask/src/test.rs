//! Runs every test.

use crate::cargo::{announce, cargo, line, succeeds};
use anyhow::{Context, bail};
use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

/// Numbers of tests by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        )
    }
}

/// Runs the tests with cargo-nextest if it is installed, else with `cargo test`; then the tests in the documentation, compile-fail
/// tests included, which only `cargo test` runs.
///
/// # Errors
///
/// If a test fails, or none runs.
pub(crate) fn run() -> anyhow::Result<Counts> {
    const ALL: [&str; 2] = ["--workspace", "--all-features"];
    let mut counts = Counts::default();
    if succeeds(cargo().args(["nextest", "--version"])) {
        let arguments = [
            "nextest",
            "run",
            "--status-level",
            "slow",
            "--no-tests",
            "fail",
        ];
        run_and_count(cargo().args(arguments).args(ALL), &mut counts)?;
    } else {
        let arguments = ["test", "--lib", "--bins", "--tests", "--examples"];
        run_and_count(cargo().args(arguments).args(ALL), &mut counts)?;
    }
    run_and_count(cargo().args(["test", "--doc"]).args(ALL), &mut counts)?;
    if counts.passed == 0 {
        bail!("no test was run");
    }
    Ok(counts)
}

/// Runs `command`, shows its output, and adds the counts in it to `counts`.
fn run_and_count(command: &mut Command, counts: &mut Counts) -> anyhow::Result<()> {
    announce(command);
    let mut child = command
        .env("CARGO_TERM_PROGRESS_WHEN", "never")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", line(command)))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| tee(stderr, &mut std::io::stderr()));
        counts.add(tee(stdout, &mut std::io::stdout()));
        counts.add(reading.join().unwrap_or_default());
    });
    let status = child.wait()?;
    if !status.success() {
        bail!("{} ended with {status}", line(command));
    }
    Ok(())
}

/// Copies `from` to `to` line by line and returns the sum of the counts in it.
fn tee(from: Option<impl Read>, to: &mut impl Write) -> Counts {
    let mut counts = Counts::default();
    for text in from
        .into_iter()
        .flat_map(|from| BufReader::new(from).split(b'\n'))
    {
        let Ok(text) = text else { break };
        let text = String::from_utf8_lossy(&text);
        counts.add(Counts::parse(&text).unwrap_or_default());
        // The tests continue when their output is no longer read.
        _ = writeln!(to, "{text}");
    }
    counts
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }

    /// Reads the counts from the summary line of cargo-nextest or of the built-in harness.
    fn parse(text: &str) -> Option<Self> {
        let text = strip_colours(text);
        let counts = match text.trim_start().strip_prefix("Summary [") {
            Some(summary) => summary.split_once("tests run: ")?.1,
            None => text.trim_start().strip_prefix("test result: ")?,
        };
        let count = |word: &str| {
            counts
                .split([',', ';', '.', '('])
                .find_map(|part| part.trim().strip_suffix(word)?.trim().parse().ok())
                .unwrap_or(0)
        };
        Some(Self {
            passed: count("passed"),
            failed: count("failed") + count("timed out"),
            skipped: count("skipped") + count("ignored"),
        })
    }
}

fn strip_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut parts = text.split('\u{1b}');
    plain.extend(parts.next());
    for part in parts {
        plain.push_str(part.split_once('m').map_or("", |(_, rest)| rest));
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::Counts;

    #[test]
    fn summary_lines_are_counted() {
        let counts = |passed, failed, skipped| {
            Some(Counts {
                passed,
                failed,
                skipped,
            })
        };
        for (line, expected) in [
            (
                "     Summary [   0.661s] 22 tests run: 22 passed, 0 skipped",
                counts(22, 0, 0),
            ),
            (
                "     Summary [  12.1s] 30 tests run: 27 passed (2 slow), 2 failed, 1 timed out, 4 skipped",
                counts(27, 3, 4),
            ),
            (
                "\u{1b}[32;1m     Summary\u{1b}[0m [   0.1s] \u{1b}[1m3\u{1b}[0m tests run: \u{1b}[1m3\u{1b}[0m \u{1b}[32;1mpassed\u{1b}[0m, \u{1b}[1m0\u{1b}[0m \u{1b}[33;1mskipped\u{1b}[0m",
                counts(3, 0, 0),
            ),
            (
                "test result: ok. 7 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
                counts(7, 0, 1),
            ),
            ("test tests::passed ... ok", None),
        ] {
            assert_eq!(Counts::parse(line), expected, "{line}");
        }
    }
}
