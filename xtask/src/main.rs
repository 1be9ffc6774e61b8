//! The tasks of the project. Continuous integration runs these and nothing else.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod bench;
mod cargo;
mod ci;
mod demo;
mod deny;
mod docs;
mod e2e;
mod faults;
mod features;
mod fuzz;
mod instructions;
mod loom;
mod minimal;
mod msrv;
mod mutants;
mod package;
mod public;
mod python;
mod replay;
mod sanitize;
mod semver;
mod soak;
mod spelling;
mod test;
mod tidy;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Run a task of the project. Each step of continuous integration is one of these.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Run every test: unit, integration, property, zero-allocation, documentation and compile-fail.
    Test,
    /// Check what a reader sees: dependencies between crates, imports between files, format, lints, docs, links.
    Tidy(tidy::Tidy),
    /// Run everything that must pass before a change lands: tidy, spelling, deny, test, loom, features, package, msrv, e2e, guard.
    Ci,
    /// Build every crate with each feature and every pair of features, warnings denied.
    Features,
    /// Build every published crate from its own archive.
    Package,
    /// Check that crates and dependencies need no newer Rust than the manifests promise.
    Msrv,
    /// Build the documentation as docs.rs does (needs a nightly toolchain).
    Docs,
    /// Check the licences, versions and sources of every dependency, as `deny.toml` says.
    Deny(deny::Deny),
    /// Check that public signatures show types of other crates only where the crate's manifest lists them.
    Public,
    /// Build every published crate with the lowest versions of its dependencies that its manifest permits.
    Minimal,
    /// Compare the public API with an earlier one, and list what a release must announce as breaking.
    Semver(semver::Semver),
    /// Check the spelling of every file (needs Python 3).
    Spelling,
    /// Measure every row of the benchmarks and compare the ratio with its budget.
    Budget(bench::Budget),
    /// Compare the instructions per operation of every hot path with the recorded ones (needs valgrind).
    Guard(instructions::Guard),
    /// Run the criterion benchmarks; or compare the peers; or renew the page of benchmarks.
    Bench(bench::Bench),
    /// Print the heap memory of 8 attributes for each way to hold them.
    Memory,
    /// Trace three real services with zerospan and with the official SDK, and compare what tracing costs.
    #[command(disable_help_flag = true)]
    Demo(demo::Demo),
    /// Send to real receivers, and decode our output with other implementations (needs Python 3).
    E2e(e2e::E2e),
    /// Play every fault of a collector and of the pipeline over real sockets, and print what happened to the spans and log records.
    Faults,
    /// Send 20 million spans, then 10 million with a log record each, to a real receiver, print memory over time, and account for
    /// every one (needs Python 3).
    Soak(soak::Soak),
    /// Fuzz everything that parses, under AddressSanitizer (needs a nightly toolchain).
    Fuzz(fuzz::Fuzz),
    /// Send traces from Zipkin v2 JSON files through the tracer, to a collector or a file.
    Replay(replay::Replay),
    /// Explore the interleavings of code that is lock-free or passes data between threads.
    Loom,
    /// Change the code in one place at a time, and report the changes that no test notices.
    Mutants(mutants::Mutants),
    /// Run the tests under AddressSanitizer and ThreadSanitizer (needs a nightly toolchain).
    Sanitize,
}

fn main() -> ExitCode {
    match run(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        // Without the backtrace that `Debug` would add: the chain of causes names the remedy.
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> anyhow::Result<()> {
    match task {
        Task::Test => test::run(test::PropertyCases::Few).map(|counts| println!("{counts}")),
        Task::Tidy(tidy) => tidy.run(),
        Task::Ci => ci::run(),
        Task::Features => features::check(),
        Task::Package => package::package(),
        Task::Msrv => msrv::check(),
        Task::Docs => docs::build(),
        Task::Deny(deny) => deny.run(),
        Task::Public => public::check(),
        Task::Minimal => minimal::check(),
        Task::Semver(semver) => semver.run(),
        Task::Spelling => spelling::check(),
        Task::Budget(budget) => budget.run(),
        Task::Guard(guard) => guard.run(),
        Task::Bench(bench) => bench.run(),
        Task::Memory => bench::memory(),
        Task::Demo(demo) => demo.run(),
        Task::E2e(e2e) => e2e.run(),
        Task::Faults => faults::run(),
        Task::Soak(soak) => soak.run(),
        Task::Fuzz(fuzz) => fuzz.run(),
        Task::Replay(replay) => replay.run(),
        Task::Loom => loom::run(),
        Task::Mutants(mutants) => mutants.run(),
        Task::Sanitize => sanitize::run(),
    }
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use crate::cargo::root;
    use clap::CommandFactory;
    use std::collections::BTreeSet;
    use std::fs;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_task_that_a_page_names_exists() {
        let command = Arguments::command();
        let tasks: BTreeSet<&str> = command
            .get_subcommands()
            .map(clap::Command::get_name)
            .collect();
        for folder in ["", "docs", "docs/adr"] {
            for entry in root().join(folder).read_dir().expect("a folder of pages") {
                let path = entry.expect("an entry").path();
                if path.extension().is_none_or(|extension| extension != "md") {
                    continue;
                }
                let page = fs::read_to_string(&path).expect("a page");
                for (at, before) in page.match_indices("cargo xtask ") {
                    let rest = &page[at + before.len()..];
                    let task: String = rest
                        .chars()
                        .take_while(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-')
                        .collect();
                    let is_option = task.is_empty() || task.starts_with('-');
                    assert!(
                        is_option || tasks.contains(&*task),
                        "{}: there is no task `{task}`",
                        path.display()
                    );
                }
            }
        }
    }
}
