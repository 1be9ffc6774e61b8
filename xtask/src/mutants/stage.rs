//! The stages in which a mutant meets the tests.

use cargo_metadata::{Package, Target};
use std::process::Command;

/// The seconds that the tests of a mutant may take at least, even if they pass at once without it: the machine may be busy.
const PATIENCE: f64 = 90.0;
/// The tests of a mutant may take this many times as long as without it.
const SLOWER: f64 = 4.0;

/// Test targets that are built and run together.
#[derive(Debug, Default)]
pub(super) struct Stage {
    targets: Vec<String>,
    /// The seconds after which a mutant's tests are ended. Unknown until they have passed without a mutant.
    timeout: Option<u64>,
}

impl Stage {
    /// Sets how long the tests of a mutant may take, from the seconds that they took without one.
    pub(super) fn set_timeout(&mut self, seconds_without: f64) {
        self.timeout = Some((seconds_without * SLOWER).max(PATIENCE) as u64);
    }

    fn of(targets: impl IntoIterator<Item = String>) -> Self {
        Self {
            targets: targets.into_iter().collect(),
            timeout: None,
        }
    }

    pub(super) fn arguments(&self, command: &mut Command, nextest: bool) {
        match self.timeout {
            Some(seconds) => command
                .arg("--baseline=skip")
                .arg(format!("--timeout={seconds}")),
            None => command
                .arg("--baseline=run")
                .arg(format!("--minimum-test-timeout={PATIENCE}"))
                .arg(format!("--timeout-multiplier={SLOWER}")),
        };
        command.args(["--build-timeout=600", "--no-times"]);
        if nextest {
            command.arg("--test-tool=nextest");
            // One failure is enough; a test that waits for something is ended then.
            command.arg("--cargo-test-arg=--max-fail=1:immediate");
            // Not every crate has unit tests.
            command.arg("--cargo-test-arg=--no-tests=pass");
        }
        for target in &self.targets {
            command.arg(format!("--cargo-arg={target}"));
        }
    }
}

/// Returns the stages of a crate's tests.
pub(super) fn stages(package: &Package) -> Vec<Stage> {
    let tests = |of_it: bool| {
        let tests = package.targets.iter().filter(move |it| it.is_test());
        tests
            .filter(move |it| (it.name == "it") == of_it)
            .map(|it| format!("--test={}", it.name))
    };
    let mut rest: Vec<String> = tests(false).collect();
    // Tests run examples.
    if !rest.is_empty() && package.targets.iter().any(Target::is_example) {
        rest.push("--examples".into());
    }
    let all = [
        Stage::of(["--lib".into()]),
        Stage::of(tests(true)),
        Stage::of(rest),
    ];
    all.into_iter()
        .filter(|it| !it.targets.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cargo::published;
    use crate::mutants::chosen;

    #[test]
    fn unit_tests_come_first_and_every_target_once() {
        let packages = chosen(
            &["tracing".into(), "transport".into()],
            published().unwrap(),
        );
        let targets: Vec<Vec<Vec<String>>> = packages
            .unwrap()
            .iter()
            .map(|it| stages(it).into_iter().map(|it| it.targets).collect())
            .collect();
        assert_eq!(targets[1], [["--lib"], ["--test=it"]]);
        assert_eq!(targets[0][..2], targets[1][..]);
        let mut rest = targets[0][2].clone();
        rest.sort();
        let all = [
            "--examples",
            "--test=fork",
            "--test=init",
            "--test=zero_alloc",
        ];
        assert_eq!(rest, all);
    }

    #[test]
    fn a_mutant_has_a_multiple_of_the_time_without_it_and_a_minimum() {
        for (seconds, timeout) in [(1.5, PATIENCE), (100.0, 100.0 * SLOWER)] {
            let mut stage = Stage::default();
            stage.set_timeout(seconds);
            assert_eq!(stage.timeout, Some(timeout as u64));
        }
    }
}
