//! Counts the allocations of one peer at one workload.

use clap::Parser;
use peers::measure::Task;
use zerospan_core::dev::CountingAllocator;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

fn main() -> anyhow::Result<()> {
    Task::parse().count()
}
