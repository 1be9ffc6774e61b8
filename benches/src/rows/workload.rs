//! The work that more than one row is measured against.

use opentelemetry::KeyValue;

/// Eight attributes with formatted keys and values in a vector, each part of them on the heap.
pub(super) fn heap_vec() -> Vec<KeyValue> {
    (0..8_u64)
        .map(|index| KeyValue::new(format!("key_{index}"), format!("value_{index}")))
        .collect()
}
