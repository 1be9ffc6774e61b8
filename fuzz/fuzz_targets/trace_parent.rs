//! A header `traceparent` is read as the stock propagator reads it, or refused, and written as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/zerospan-trace/tests/it/stock_propagator.rs"]
mod stock_propagator;

fuzz_target!(|text: &str| {
    // Less what the file of a seed ends with.
    let header = text.strip_suffix('\n').unwrap_or(text);
    stock_propagator::same_as_stock(header);
});
