//! The workload that rows of several areas share.

use opentelemetry::KeyValue;
use std::hint::black_box;

/// Eight attributes with formatted keys and values, the way they are built without zerospan: a vector of owned strings.
pub(super) fn heap_vec() -> Vec<KeyValue> {
    (0..8_u64)
        .map(|index| {
            let index = black_box(index);
            KeyValue::new(format!("key_{index}"), format!("value_{index}"))
        })
        .collect()
}
