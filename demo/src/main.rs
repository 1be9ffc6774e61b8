//! The demo, which counts allocations.
#![forbid(unsafe_code)]

use std::process::ExitCode;
use zerospan_core::dev::CountingAllocator;

/// All sides run on it, the one without tracing included.
#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

fn main() -> ExitCode {
    demo::run()
}
