//! No arena allocates in steady state.

use opentelemetry::{Array, KeyValue, Value};
use zerospan_arena::{SharedAttributeArena, SpanAttributeArena, TypedArena};
use zerospan_core::dev::{Allocations, CountingAllocator};
use zerospan_core::{AttributeSink, AttributeSource};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

/// A request that uses all operations, and takes several chunks on first use.
fn request(arena: &mut SpanAttributeArena, source: &[KeyValue]) -> usize {
    let guard = arena.guard();
    let mut set = guard.attributes(0);
    let outcome = set.push_all(source);
    set.push_borrowed(guard.concat(("key_", 7)), guard.concat(("value_", 0.5)));
    let pairs = guard.create_attributes(&[("http.request.method", "GET"), ("url.path", "/")]);
    let text = guard.format(format_args!("{:>100}", 1)).len() + guard.join(&["a", "b"], ",").len();
    let more: usize = (0..40)
        .map(|_| guard.alloc_str("/some/route/of/a/request").len())
        .sum();
    assert_eq!(outcome, Ok(()));
    set.finish().len() + pairs.len() + text + more
}

#[test]
fn a_second_request_does_not_allocate() {
    Allocations::assert_counted();
    let source = [
        KeyValue::new("bool", true),
        KeyValue::new("string", String::from("owned")),
        KeyValue::new(
            "strings",
            Value::Array(Array::String(vec!["a".into(), "b".into()])),
        ),
        KeyValue::new("i64s", Value::Array(Array::I64(vec![1, 2]))),
    ];
    let mut arena = SpanAttributeArena::new();
    let (first, allocations) = Allocations::measure(|| request(&mut arena, &source));
    assert!(allocations.count > 1, "several chunks, then one");
    for _ in 0..3 {
        let (again, allocations) = Allocations::measure(|| request(&mut arena, &source));
        assert_eq!(again, first);
        assert_eq!(allocations, Allocations::default());
    }
}

#[test]
fn an_arena_with_capacity_allocates_once() {
    Allocations::assert_counted();
    let (mut arena, allocations) = Allocations::measure(|| SpanAttributeArena::with_capacity(4000));
    assert_eq!(allocations.count, 1);
    let ((), allocations) = Allocations::measure(|| {
        arena.alloc_str("text");
        arena.reset();
    });
    assert_eq!(allocations, Allocations::default());
}

#[test]
fn a_second_shared_request_does_not_allocate() {
    Allocations::assert_counted();
    let mut arena = SharedAttributeArena::new();
    let mut request = || {
        let share = arena.share();
        for index in 0..100 {
            share.concat(("key_", index));
            share.create_attributes(&[("http.request.method", "GET"), ("url.path", "/")]);
        }
        share.allocated_bytes()
    };
    let first = request();
    // The second share begins with the reset that merges the slabs.
    assert_eq!(request(), first);
    let (again, allocations) = Allocations::measure(request);
    assert_eq!(again, first);
    assert_eq!(allocations, Allocations::default());
}

#[test]
fn conversion_to_key_values_allocates_as_documented() {
    Allocations::assert_counted();
    let arena = SpanAttributeArena::new();
    let set = arena.create_attributes(&[("key", "value"); 8]);
    let (copied, allocations) = Allocations::measure(|| set.to_key_values());
    assert_eq!(copied.map(|list| list.len()), Ok(8));
    assert_eq!(allocations.count, 17);
}

#[test]
fn a_typed_arena_allocates_in_chunks() {
    Allocations::assert_counted();
    let (arena, allocations) = Allocations::measure(|| TypedArena::with_capacity(8));
    assert_eq!(allocations.count, 2, "a trial, and the chunk");
    let ((), allocations) = Allocations::measure(|| {
        for index in 0..8 {
            arena.alloc(index);
        }
    });
    assert_eq!(allocations, Allocations::default());
}
