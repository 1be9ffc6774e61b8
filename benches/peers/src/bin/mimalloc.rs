//! Times one peer at one workload on mimalloc.

use clap::Parser;
use peers::{Peer, Workload, measure};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Time one peer at one workload on mimalloc; print JSON.
#[derive(Debug, Parser)]
struct Arguments {
    peer: Peer,
    workload: Workload,
}

fn main() -> anyhow::Result<()> {
    let Arguments { peer, workload } = Arguments::parse();
    let times = measure::time(peer, workload).map_err(anyhow::Error::msg)?;
    println!("{}", serde_json::to_string(&times)?);
    Ok(())
}
