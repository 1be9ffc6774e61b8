//! Views, sources and errors do not allocate.

use opentelemetry::{Array, KeyValue, Value};
use zerospan_core::dev::{Allocations, CountingAllocator};
use zerospan_core::{Attribute, AttributeSink, AttributeValue, CapacityError, SinkError};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

/// Counts the bytes that an encoder would write.
#[derive(Default)]
struct Measuring {
    keys: usize,
    values: usize,
}

impl AttributeSink for Measuring {
    fn push_attribute(&mut self, attribute: Attribute<'_>) -> Result<(), SinkError> {
        self.keys += attribute.key.len();
        self.values += match attribute.value {
            AttributeValue::Bool(_) => 1,
            AttributeValue::I64(_) | AttributeValue::F64(_) => 8,
            AttributeValue::Str(text) => text.len(),
            AttributeValue::BoolArray(values) => values.len(),
            AttributeValue::I64Array(values) => 8 * values.len(),
            AttributeValue::F64Array(values) => 8 * values.len(),
            AttributeValue::StrArray(strings) => strings.iter().map(str::len).sum(),
            _ => return Err(SinkError::Unsupported),
        };
        Ok(())
    }
}

#[test]
fn any_source_is_read_into_a_sink_without_allocation() {
    Allocations::assert_counted();
    let attributes = [
        KeyValue::new("bool", true),
        KeyValue::new("i64", 7),
        KeyValue::new("f64", 0.5),
        KeyValue::new("string", String::from("owned")),
        KeyValue::new(
            "strings",
            Value::Array(Array::String(vec!["a".into(), "bc".into()])),
        ),
        KeyValue::new("i64s", Value::Array(Array::I64(vec![1, 2]))),
    ];
    let pairs = [("key", "value"), ("other", "")];
    let (measured, allocations) = Allocations::measure(|| {
        let mut sink = Measuring::default();
        let outcome = sink
            .push_all(&attributes)
            .and_then(|()| sink.push_all(&pairs[..]));
        outcome.map(|()| (sink.keys, sink.values))
    });
    assert_eq!(measured, Ok((35, 46)));
    assert_eq!(allocations, Allocations::default());
}

#[test]
fn errors_do_not_allocate() {
    Allocations::assert_counted();
    let value = KeyValue::new("key", 1);
    let (error, allocations) = Allocations::measure(|| CapacityError::new(value, 8));
    assert_eq!(allocations.count, 0);
    assert_eq!(error.into_value(), KeyValue::new("key", 1));
}

#[test]
fn counts_are_per_thread_and_of_all_threads() {
    Allocations::assert_counted();
    let everywhere = Allocations::all_threads();
    let here = Allocations::this_thread();
    let worker = std::thread::spawn(|| {
        let (_, counted) = Allocations::measure(|| vec![0_u8; 4096]);
        counted
    });
    let counted = worker.join().unwrap_or_default();
    assert_eq!(
        counted,
        Allocations {
            count: 1,
            bytes: 4096
        }
    );
    let (grown, reallocations) = Allocations::measure(|| {
        let mut text = String::with_capacity(1);
        text.push_str("grows");
        text
    });
    assert_eq!(grown, "grows");
    assert_eq!(reallocations.count, 2, "a reallocation counts as one");
    let all = Allocations::all_threads().since(everywhere);
    assert!(all.bytes >= 4096);
    assert!(all.count > Allocations::this_thread().since(here).count - 1);
}
