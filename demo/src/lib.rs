//! Traces a small system of three services with zerospan and with the official SDK, draws one of its traces, and compares what
//! tracing costs.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod arguments;
mod attributes;
mod comparison;
mod cores;
mod figures;
mod http;
mod load;
mod logs;
mod measure;
mod page;
mod process;
mod receiver;
mod report;
mod serve;
mod services;
mod terminal;
mod trace;

use arguments::{Arguments, Task};
use clap::Parser;
use std::process::ExitCode;

/// Does what the command line asks for.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.task {
        Some(Task::Serve(service)) => serve::serve(service),
        Some(Task::Measure(options)) => measure::run(&options),
        None => comparison::run(&arguments.options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
