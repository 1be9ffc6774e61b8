//! Counts what both sides of each row allocate, and prints it as JSON for the program `budget`.

use benches::{Allocated, Contest, Counts, rows};
use clap::Parser;
use zerospan_core::dev::{Allocations, CountingAllocator};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

/// Count the heap allocations of both sides of each row.
#[derive(Debug, Parser)]
struct Arguments {
    /// Count only rows whose identifier begins so.
    #[arg(long, value_name = "PREFIX", default_value = "")]
    only: String,
}

/// Runs before the count, in which pools fill and buffers grow.
const WARM_UP: u64 = 64;
/// Runs that are counted.
const COUNTED: u64 = 16;

#[allow(clippy::print_stdout)]
fn main() -> Result<(), serde_json::Error> {
    Allocations::assert_counted();
    let arguments = Arguments::parse();
    let counts: Counts = rows::starting_with(&arguments.only)
        .into_iter()
        .map(|row| {
            let mut contest = (row.prepare)();
            let allocated = Allocated {
                peer: per_operation(&mut contest, Contest::run_peer),
                ours: per_operation(&mut contest, Contest::run_ours),
            };
            (row.id.to_owned(), allocated)
        })
        .collect();
    println!("{}", serde_json::to_string(&counts)?);
    Ok(())
}

fn per_operation(contest: &mut Contest, run: fn(&mut Contest)) -> f64 {
    for _ in 0..WARM_UP {
        contest.prepare();
        run(contest);
    }
    let mut counted = 0;
    for _ in 0..COUNTED {
        contest.prepare();
        let before = Allocations::all_threads();
        run(contest);
        counted += Allocations::all_threads().since(before).count;
    }
    counted as f64 / (COUNTED * contest.operations()) as f64
}
