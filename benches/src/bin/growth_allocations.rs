//! Counts what a span allocates at every value of every series, and prints it as JSON for the program `growth`.

use benches::growth;
use std::process::ExitCode;
use zerospan_core::dev::{Allocations, CountingAllocator};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

#[allow(clippy::print_stdout, clippy::print_stderr)]
fn main() -> ExitCode {
    Allocations::assert_counted();
    let counted = growth::allocations(|work| {
        let before = Allocations::all_threads();
        work();
        Allocations::all_threads().since(before).count
    });
    match counted.and_then(|counts| serde_json::to_string(&counts).map_err(|e| e.to_string())) {
        Ok(json) => {
            println!("{json}");
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("error: {reason}");
            ExitCode::FAILURE
        }
    }
}
