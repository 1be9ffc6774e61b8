//! Checks that the views read or reject any bytes as prost does, and never panic.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/zerospan-otlp/tests/it/decoded.rs"]
#[allow(dead_code)]
mod decoded;

fuzz_target!(|bytes: &[u8]| decoded::same_as_prost(bytes));
