//! The allocations that the README states.

use opentelemetry::KeyValue;
use opentelemetry::trace::SpanBuilder;
use std::hint::black_box;
use zerospan_core::dev::{Allocations, CountingAllocator};
use zerospan_core::{Attribute, AttributeSink, AttributeSource, Reset, SinkError};
use zerospan_stack::{
    FixedAttributes, InlineAttributes, InlineStr, StackAttributes, StackSpanBuilder,
    fixed_attributes,
};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

/// A span that counts its attributes.
struct Counting(usize);

impl AttributeSink for Counting {
    fn push_attribute(&mut self, attribute: Attribute<'_>) -> Result<(), SinkError> {
        self.0 += attribute.key.len();
        Ok(())
    }
}

fn assert_allocations<R>(expected: u64, work: impl FnOnce() -> R) -> R {
    Allocations::assert_counted();
    let (outcome, allocations) = Allocations::measure(work);
    assert_eq!(allocations.count, expected);
    outcome
}

#[test]
fn eight_formatted_attributes_do_not_allocate() {
    let length = assert_allocations(0, || {
        let mut set = InlineAttributes::<8, 256>::new();
        for index in 0..8_u64 {
            let index = black_box(index);
            assert_eq!(
                set.try_push(("key_", index), ("value_", 1.5, index)),
                Ok(())
            );
        }
        assert!(set.try_push("one", "more").is_err());
        let mut span = Counting(0);
        assert_eq!(span.push_all(&set), Ok(()));
        set.reset();
        assert_eq!(set.try_push(format_args!("{:>4}", 1), true), Ok(()));
        assert_eq!(set.try_push_value("number", 1), Ok(()));
        span.0
    });
    assert_eq!(length, 40);
}

#[test]
fn eight_attributes_in_a_vector_allocate() {
    let (attributes, allocations) = Allocations::measure(|| -> Vec<KeyValue> {
        (0..8)
            .map(|index| KeyValue::new(format!("key_{index}"), format!("value_{index}")))
            .collect()
    });
    assert_eq!(attributes.len(), 8);
    assert!(allocations.count >= 17, "{allocations:?}");
}

#[test]
fn inline_strings_do_not_allocate() {
    assert_allocations(0, || {
        let mut string = InlineStr::<16>::new();
        assert_eq!(string.try_push(("/users/", 42)), Ok(()));
        assert!(string.try_push("too long for what is left").is_err());
        assert_eq!(string.push_truncated("äöüäöüäöü"), Ok(12));
        assert_eq!([("key", string)].len(), 1);
    });
}

#[test]
fn sets_of_key_values_do_not_allocate_within_their_capacity() {
    assert_allocations(0, || {
        let mut stack: StackAttributes = (0..16).map(|index| KeyValue::new("k", index)).collect();
        assert!(!stack.spilled());
        stack.reset();
        let mut fixed: FixedAttributes<2> = fixed_attributes!["a" => "static"];
        assert!(fixed.try_push(KeyValue::new("b", 2)).is_ok());
        assert!(fixed.try_push(KeyValue::new("c", 3)).is_err());
        assert_eq!(
            fixed.push_attribute(Attribute::new("d", "copied only if there is room")),
            Err(SinkError::Full { capacity: 2 })
        );
        fixed.reset();
    });
}

#[test]
fn one_attribute_more_than_fits_spills_with_one_allocation() {
    assert_allocations(1, || {
        (0..17)
            .map(|index| KeyValue::new("key", index))
            .collect::<StackAttributes>()
    });
}

#[test]
fn a_span_builder_costs_one_allocation_of_exact_size() {
    let builder = StackSpanBuilder::new("span")
        .with_attribute("a", 1)
        .with_attribute("b", "static")
        .with_attribute("c", true);
    let builder = assert_allocations(1, || builder.into_span_builder());
    assert_eq!(builder.attributes.map_or(0, |vector| vector.capacity()), 3);
    assert_allocations(0, || StackSpanBuilder::new("bare").into_span_builder());
}

#[test]
fn a_span_that_is_a_sink_costs_no_allocation() {
    assert_allocations(0, || {
        let mut set = InlineAttributes::<8, 64>::new();
        assert_eq!(set.try_push("route", ("/users/", 42)), Ok(()));
        let open = |_: SpanBuilder| Counting(0);
        let (span, taken) = StackSpanBuilder::with_set("GET", &set).start_into(open);
        assert_eq!((span.0, taken), (5, Ok(())));
        let (span, taken) = StackSpanBuilder::new("GET")
            .with_attribute("status", 200)
            .start_into(open);
        assert_eq!((span.0, taken), (6, Ok(())));
    });
}
