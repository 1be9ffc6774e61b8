//! A small real system of three services, traced by zerospan and by the stock SDK: one of its traces as a picture, and what
//! tracing costs it either way.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod arguments;
mod child;
mod drive;
mod figures;
mod http;
mod page;
mod plain;
mod process;
mod propagation;
mod receiver;
mod report;
mod run;
mod shop;
mod stock;
mod telemetry;
mod terminal;
mod trace;
mod traced;

use arguments::{Arguments, Task};
use clap::Parser;
use std::process::ExitCode;
use zerospan_core::dev::CountingAllocator;

/// Every side runs on it, the one without tracing too.
#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.task {
        Some(Task::Serve { side, export }) => child::serve(side, &export),
        None => run::run(&arguments.options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
