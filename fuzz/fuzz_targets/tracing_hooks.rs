//! Sequences of a layer's hooks with stale, wrong and repeated ids panic never, and every span is accounted for.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../../crates/zerospan-tracing/tests/it/dynamic.rs"]
mod dynamic;
#[path = "../../crates/zerospan-tracing/tests/it/hooks.rs"]
mod hooks;
#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../../crates/zerospan-tracing/tests/it/hostile.rs"]
mod hostile;

fuzz_target!(|bytes: &[u8]| hooks::run(bytes));
