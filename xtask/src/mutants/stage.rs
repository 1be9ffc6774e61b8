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
    /// The arguments that choose them. All targets of the crate, if there are none.
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
    let first = [Stage::of(["--lib".into()]), Stage::of(tests(true))];
    let mut stages: Vec<Stage> = first
        .into_iter()
        .filter(|it| !it.targets.is_empty())
        .collect();
    let rest: Vec<String> = tests(false).collect();
    if !rest.is_empty() {
        let has_examples = package.targets.iter().any(Target::is_example);
        // Tests run examples, which are programs only where no target is named: `--examples` makes tests of them.
        stages.push(if has_examples {
            Stage::default()
        } else {
            Stage::of(rest)
        });
    }
    stages
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cargo::published;
    use crate::mutants::chosen;

    #[test]
    fn unit_tests_come_first_then_it_then_the_rest() {
        let names = ["tracing", "transport", "pool"].map(str::to_owned);
        let packages = chosen(&names, published().unwrap());
        let targets: Vec<Vec<Vec<String>>> = packages
            .unwrap()
            .iter()
            .map(|it| stages(it).into_iter().map(|it| it.targets).collect())
            .collect();
        assert_eq!(targets[1], [["--lib"], ["--test=it"]]);
        for with_more in [&targets[0], &targets[2]] {
            assert_eq!(with_more[..2], targets[1][..]);
        }
        assert_eq!(targets[0][2], [""; 0], "all, with the examples");
        assert_eq!(targets[2][2..], [["--test=zero_alloc"]]);
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
