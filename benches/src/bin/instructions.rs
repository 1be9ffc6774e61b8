//! Runs one hot path, for Callgrind to count its instructions: `cargo xtask guard` is how to run it.

use benches::{HOT_PATHS, HotPath};
use clap::Parser;
use std::process::ExitCode;

/// Run one hot path, and print how many operations were counted.
#[derive(Debug, Parser)]
struct Arguments {
    /// The identifier of the path; without it, all identifiers are printed.
    path: Option<String>,
}

#[allow(clippy::print_stdout, clippy::print_stderr)]
fn main() -> ExitCode {
    let Some(id) = Arguments::parse().path else {
        for path in HOT_PATHS {
            println!("{}", path.id);
        }
        return ExitCode::SUCCESS;
    };
    let outcome = HotPath::find(&id)
        .ok_or_else(|| "there is no such path".to_owned())
        .and_then(HotPath::run);
    match outcome {
        Ok(operations) => {
            println!("{operations}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("error: {id}: {failure}");
            ExitCode::FAILURE
        }
    }
}
