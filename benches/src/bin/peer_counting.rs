//! Counts what one peer allocates at one work. Its times are those of an allocator that counts: not to be quoted.

use std::process::ExitCode;
use zerospan_core::dev::{Allocations, CountingAllocator};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

fn main() -> ExitCode {
    Allocations::assert_counted();
    benches::peers::measure_and_print(Some(|| Allocations::of_all_threads().count))
}
