//! Arbitrary bytes are read or refused by the view as prost reads or refuses them, and never panic.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/zerospan-otlp/tests/it/decoded.rs"]
#[allow(dead_code)]
mod decoded;

fuzz_target!(|bytes: &[u8]| decoded::same_as_prost(bytes));
