//! Measures one peer at one work, on the system's allocator.

use std::process::ExitCode;

fn main() -> ExitCode {
    benches::peers::time_and_print()
}
