//! Eight attributes with formatted keys and values: on the heap, with the vector on the stack, all of it on the stack, and
//! in an arena.

use criterion::{Criterion, criterion_group, criterion_main};
use opentelemetry::KeyValue;
use std::hint::black_box;
use zerospan_arena::SpanAttributeArena;
use zerospan_stack::{InlineAttributes, StackAttributes};

#[path = "../src/rows/workload.rs"]
mod workload;

/// The vector on the stack. A `KeyValue` owns its formatted text, so that stays on the heap.
fn stack_smallvec() -> StackAttributes {
    (0..8_u64)
        .map(|index| {
            let index = black_box(index);
            KeyValue::new(format!("key_{index}"), format!("value_{index}"))
        })
        .collect()
}

/// Text included. Handed on by reference, as such a set is used.
fn stack_inline() {
    let mut set = InlineAttributes::<8, 128>::new();
    for index in 0..8_u64 {
        let index = black_box(index);
        let taken = set.try_push(("key_", index), ("value_", index));
        debug_assert_eq!(taken, Ok(()));
    }
    black_box(&set);
}

/// Between two resets, of which one belongs to the work.
fn arena_alloc(arena: &mut SpanAttributeArena) {
    let mut set = arena.attributes(8);
    for index in 0..8_u64 {
        let index = black_box(index);
        set.push_concat(("key_", index), ("value_", index));
    }
    black_box(&set);
    drop(set);
    arena.reset();
}

fn attribute_creation(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("attribute_creation");
    group.bench_function("heap_vec", |bencher| bencher.iter(workload::heap_vec));
    group.bench_function("stack_smallvec", |bencher| bencher.iter(stack_smallvec));
    group.bench_function("stack_inline", |bencher| bencher.iter(stack_inline));
    let mut arena = SpanAttributeArena::new();
    group.bench_function("arena_alloc", |bencher| {
        bencher.iter(|| arena_alloc(&mut arena));
    });
    group.finish();
}

criterion_group!(benches, attribute_creation);
criterion_main!(benches);
