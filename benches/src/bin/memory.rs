//! Prints how many bytes 8 formatted attributes take on the heap, for each way of holding them, as the counting allocator
//! sees it.

use opentelemetry::KeyValue;
use std::hint::black_box;
use zerospan_arena::SpanAttributeArena;
use zerospan_attributes::SharedAttributes;
use zerospan_core::AttributeSource;
use zerospan_core::dev::{Allocations, CountingAllocator};
use zerospan_stack::{FixedAttributes, InlineAttributes, StackAttributes};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

/// How many attributes each way holds.
const COUNT: u64 = 8;

#[allow(clippy::print_stdout)]
fn main() {
    Allocations::assert_counted();
    println!(
        "{COUNT} attributes with formatted keys and values, in one use after others like it\n\n\
         | held in | allocations | bytes asked of the heap |\n|---|---|---|"
    );
    row("`Vec<KeyValue>`", || formatted().collect::<Vec<_>>());
    row("`StackAttributes` (`SmallVec`)", || {
        formatted().collect::<StackAttributes>()
    });
    row("`FixedAttributes` (`ArrayVec`)", || {
        let mut set = FixedAttributes::<8>::new();
        for attribute in formatted() {
            assert!(set.try_push(attribute).is_ok());
        }
        set
    });
    let mut arena = SpanAttributeArena::new();
    row("`SpanAttributeArena`, between two resets", || {
        arena.reset();
        let mut set = arena.attributes(COUNT as usize);
        for index in 0..COUNT {
            set.push_concat(("key_", index), ("value_", index));
        }
        assert_eq!(set.len() as u64, COUNT);
    });
    row("`InlineAttributes`, text included", || {
        let mut set = InlineAttributes::<8, 128>::new();
        for index in 0..COUNT {
            assert!(set.try_push(("key_", index), ("value_", index)).is_ok());
        }
        black_box(&set);
    });
    let shared = SharedAttributes::new(formatted());
    row("`SharedAttributes`, a clone", || shared.clone());
}

fn formatted() -> impl Iterator<Item = KeyValue> {
    (0..COUNT).map(|index| {
        let index = black_box(index);
        KeyValue::new(format!("key_{index}"), format!("value_{index}"))
    })
}

/// Prints what the second use allocates; the first one warms up what is kept between uses.
#[allow(clippy::print_stdout)]
fn row<T>(held_in: &str, mut hold: impl FnMut() -> T) {
    drop(black_box(hold()));
    let (held, allocations) = Allocations::measure(&mut hold);
    drop(black_box(held));
    println!(
        "| {held_in} | {} | {} |",
        allocations.count, allocations.bytes
    );
}
