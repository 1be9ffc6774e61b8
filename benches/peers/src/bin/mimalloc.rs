//! Times one peer at one workload on mimalloc.

use clap::Parser;
use peers::measure::Task;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    Task::parse().time()
}
