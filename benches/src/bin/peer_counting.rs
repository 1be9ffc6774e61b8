//! Counts what one peer allocates at one work, and times nothing: an allocator that counts is a slow one.

use std::process::ExitCode;
use zerospan_core::dev::{Allocations, CountingAllocator};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

fn main() -> ExitCode {
    Allocations::assert_counted();
    benches::peers::count_and_print()
}
