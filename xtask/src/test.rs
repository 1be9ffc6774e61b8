//! Runs every test.

use crate::cargo::{cargo, line, succeeds};
use anyhow::{Context, bail};
use std::fmt;
use std::io::{self, BufRead, BufReader, Write};
use std::num::NonZero;
use std::ops::Add;
use std::process::Command;

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

/// The number of inputs that a property test tries, where it does not say itself and `PROPTEST_CASES` is not set.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PropertyCases {
    /// A quarter, for a run that somebody waits for.
    Few = 64,
    /// As many as proptest tries by default.
    All = 256,
}

/// Runs the tests with cargo-nextest if it is installed, else with `cargo test`; and the tests in the documentation, compile-fail
/// tests included, which only `cargo test` runs.
///
/// # Errors
///
/// If a test fails, or none runs.
pub(crate) fn run(cases: PropertyCases) -> anyhow::Result<Counts> {
    let documentation = || command(&["test", "--doc"], cases);
    let counts = if succeeds(cargo().args(["nextest", "--version"])) {
        // Most tests wait for something: as many at once as there are cores would leave these idle.
        let threads = 2 * std::thread::available_parallelism().map_or(1, NonZero::get);
        let mut tests = command(&["nextest", "run", "--status-level", "slow"], cases);
        tests.args(["--no-tests", "fail", "--test-threads", &threads.to_string()]);
        count(
            command(&["nextest", "run", "--no-run"], cases),
            io::stdout(),
        )?;
        std::thread::scope(|scope| {
            let documentation = scope.spawn(|| {
                let mut printed = Vec::new();
                let counts = count(documentation(), &mut printed);
                (printed, counts)
            });
            let counts = count(tests, io::stdout());
            let Ok((printed, documented)) = documentation.join() else {
                bail!("the tests in the documentation were not run")
            };
            io::stdout().write_all(&printed)?;
            Ok(counts? + documented?)
        })?
    } else {
        let tests = ["test", "--lib", "--bins", "--tests", "--examples"];
        count(command(&tests, cases), io::stdout())? + count(documentation(), io::stdout())?
    };
    if counts.passed == 0 {
        bail!("no test was run");
    }
    Ok(counts)
}

/// Returns a command of cargo for all tests.
fn command(arguments: &[&str], cases: PropertyCases) -> Command {
    let mut command = cargo();
    command
        .args(arguments)
        .args(["--workspace", "--all-features"])
        .env("CARGO_TERM_PROGRESS_WHEN", "never");
    if std::env::var_os("PROPTEST_CASES").is_none() {
        command.env("PROPTEST_CASES", (cases as u32).to_string());
    }
    command
}

/// Runs `command`, copies its output to `to`, and returns the sum of the counts in it.
fn count(mut command: Command, mut to: impl Write) -> anyhow::Result<Counts> {
    let text = line(&command);
    // Its reader may be gone: the tests continue then.
    _ = writeln!(to, "\n$ {text}");
    let (output, input) = io::pipe()?;
    command.stdout(input.try_clone()?).stderr(input);
    let child = command.spawn();
    let mut child = child.with_context(|| format!("cannot start {text}"))?;
    // With the writing ends that it holds, the output would not end.
    drop(command);
    let mut counts = Counts::default();
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        counts = counts + Counts::parse(&line).unwrap_or_default();
        _ = writeln!(to, "{line}");
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("{text} ended with {status}");
    }
    Ok(counts)
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }
}

impl Counts {
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
