//! Eight attributes with formatted keys and values: on the heap, with the vector on the stack, entirely on the stack, and in
//! an arena.

use benches::rows::{formatted_attribute, heap_vec};
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use zerospan_arena::SpanAttributeArena;
use zerospan_stack::{InlineAttributes, StackAttributes};

/// Only the vector is on the stack: a `KeyValue` owns its formatted text.
fn stack_smallvec() -> StackAttributes {
    (0..8).map(formatted_attribute).collect()
}

/// The text is on the stack too. The set is passed by reference, as in use.
fn stack_inline() {
    let mut set = InlineAttributes::<8, 128>::new();
    for index in 0..8_u64 {
        let index = black_box(index);
        let taken = set.try_push(("key_", index), ("value_", index));
        debug_assert_eq!(taken, Ok(()));
    }
    black_box(&set);
}

/// Includes one reset.
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
    group.bench_function("heap_vec", |bencher| bencher.iter(heap_vec));
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
