//! The services on the system's allocator, as programs use it: counting costs some nanoseconds for each allocation, and most where
//! there are most.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    demo::run()
}
