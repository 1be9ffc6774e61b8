use std::env;
use std::process::Command;
use std::thread;

/// Set in the process of a test.
const ALONE: &str = "ZEROSPAN_TEST_ALONE";

/// Returns a command that runs the calling test once more, alone in a process, or `None` in that process.
///
/// For tests of what belongs to a whole process: its environment, its log and the limits of that. The command removes the
/// variables of OpenTelemetry and `RUST_LOG`.
///
/// # Panics
///
/// Panics outside of a test: its thread has the test's name.
pub fn own_process() -> Option<Command> {
    if env::var_os(ALONE).is_some() {
        return None;
    }
    let this = thread::current();
    let name = this.name().expect("a test's thread has its name");
    let program = env::current_exe().expect("the path of this program");
    let mut command = Command::new(program);
    for (variable, _) in env::vars_os() {
        let name = variable.to_string_lossy();
        if name.starts_with("OTEL_") || name == "RUST_LOG" {
            command.env_remove(&variable);
        }
    }
    command
        .args(["--exact", name, "--nocapture"])
        .env(ALONE, "1");
    Some(command)
}

/// Runs `test` in a process as [`own_process`] does, with these variables too. Returns what it printed, or `None` in that process.
///
/// # Panics
///
/// Panics if the test fails there.
#[track_caller]
pub fn in_own_process(variables: &[(&str, &str)], test: impl FnOnce()) -> Option<String> {
    let Some(mut command) = own_process() else {
        test();
        return None;
    };
    let ran = command.envs(variables.iter().copied()).output();
    let ran = ran.expect("this program runs");
    let printed = String::from_utf8_lossy(&ran.stdout).into_owned();
    let errors = String::from_utf8_lossy(&ran.stderr);
    // A name that no test has succeeds too.
    let has_passed = ran.status.success() && printed.contains("1 passed");
    assert!(has_passed, "{printed}{errors}");
    Some(printed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic;

    #[test]
    #[allow(clippy::print_stdout)]
    fn a_test_runs_in_a_process_of_its_own_with_its_variables() {
        let variable = "ZEROSPAN_TEST_VALUE";
        let printed = in_own_process(&[(variable, "7")], || {
            println!("there: {:?}", env::var(variable));
        });
        assert!(printed.is_none_or(|printed| printed.contains("there: Ok(\"7\")")));
    }

    #[test]
    fn the_process_of_a_test_keeps_the_variables_of_other_programs() {
        let command = own_process().expect("this process was not started by a test");
        let removed = command.get_envs().filter(|(_, value)| value.is_none());
        for (name, _) in removed {
            let name = name.to_string_lossy();
            assert!(name.starts_with("OTEL_") || name == "RUST_LOG", "{name}");
        }
    }

    #[test]
    fn a_test_that_fails_in_its_process_fails() {
        let failed = panic::catch_unwind(|| in_own_process(&[], || panic!("on purpose")));
        if let Err(panic) = failed {
            let Some(message) = panic.downcast_ref::<String>() else {
                // In the process, where the test itself panicked.
                panic::resume_unwind(panic);
            };
            return assert!(message.contains("on purpose"), "{message}");
        }
        unreachable!("the test fails there");
    }
}
