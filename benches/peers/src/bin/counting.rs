//! Counts the allocations of one peer at one workload.

use clap::Parser;
use peers::{Peer, Workload, measure};
use zerospan_core::dev::CountingAllocator;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

/// Count the allocations of one peer at one workload; print JSON.
#[derive(Debug, Parser)]
struct Arguments {
    peer: Peer,
    workload: Workload,
}

fn main() -> anyhow::Result<()> {
    let Arguments { peer, workload } = Arguments::parse();
    let counts = measure::count(peer, workload).map_err(anyhow::Error::msg)?;
    println!("{}", serde_json::to_string(&counts)?);
    Ok(())
}
