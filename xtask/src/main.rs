//! Every task of the project. Continuous integration runs these and nothing else.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod bench;
mod cargo;
mod ci;
mod demo;
mod e2e;
mod faults;
mod fuzz;
mod instructions;
mod loom;
mod replay;
mod sanitize;
mod soak;
mod test;
mod tidy;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Every task of the project, each one command.
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
    /// Run all that must pass before a change lands: tidy, test, loom, every combination of features, end to end, guard.
    Ci,
    /// Measure every row of the benchmarks and compare the ratio with its budget.
    Budget(bench::Budget),
    /// Compare the instructions per operation of every hot path with the recorded ones (needs valgrind).
    Guard(instructions::Guard),
    /// Run the criterion benchmarks; or compare the peers; or renew the page of benchmarks.
    Bench(bench::Bench),
    /// Print the heap memory of 8 attributes for each way to hold them.
    Memory,
    /// Trace three real services with zerospan and with the stock SDK: a trace as a picture, and what either costs.
    #[command(disable_help_flag = true)]
    Demo(demo::Demo),
    /// Send to real receivers, and have other implementations decode what we write (needs Python 3).
    E2e(e2e::E2e),
    /// Play every fault of a collector and of the pipeline against real sockets, and print what became of the spans.
    Faults,
    /// Send 20 million spans to a real receiver: memory over time, and every span accounted for (needs Python 3).
    Soak(soak::Soak),
    /// Fuzz whatever parses, under AddressSanitizer (needs a nightly toolchain).
    Fuzz(fuzz::Fuzz),
    /// Emit traces in Zipkin v2 JSON anew through the tracer, to a collector or a file.
    Replay(replay::Replay),
    /// Explore the interleavings of whatever is lock-free or hands over between threads.
    Loom,
    /// Run the tests under AddressSanitizer and ThreadSanitizer (needs a nightly toolchain).
    Sanitize,
}

fn main() -> ExitCode {
    match perform(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        // Without the backtrace that `Debug` would add: the chain of causes says what to do.
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task) -> anyhow::Result<()> {
    match task {
        Task::Test => test::run().map(|counts| println!("{counts}")),
        Task::Tidy(tidy) => tidy.run(),
        Task::Ci => ci::run(),
        Task::Budget(budget) => budget.run(),
        Task::Guard(guard) => guard.run(),
        Task::Bench(bench) => bench.run(),
        Task::Memory => bench::memory(),
        Task::Demo(demo) => demo.run(),
        Task::E2e(e2e) => e2e.run(),
        Task::Faults => faults::play(),
        Task::Soak(soak) => soak.run(),
        Task::Fuzz(fuzz) => fuzz.run(),
        Task::Replay(replay) => replay.run(),
        Task::Loom => loom::run(),
        Task::Sanitize => sanitize::run(),
    }
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }
}
