//! One arena per request against as many objects on the heap.

use super::heap_vec;
use crate::clock::Clock;
use crate::comparison::{Budget, Comparison, Row};
use std::cell::RefCell;
use std::hint::black_box;
use std::rc::Rc;
use zerospan_arena::{AttributeSet, SpanAttributeArena};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "arena.attributes",
        peer: "8 formatted attributes in a Vec<KeyValue>, dropped",
        ours: "the same 8 formatted into an arena, reset",
        budget: Budget::AtLeast(4.4),
        allocations: Some(0.0),
        prepare: attributes,
    },
    Row {
        id: "arena.strings",
        peer: "64 strings of a request on the heap, dropped",
        ours: "the same 64 copied into an arena, reset",
        budget: Budget::AtLeast(5.0),
        allocations: Some(0.0),
        prepare: strings,
    },
];

/// Formats what `heap_vec` formats.
fn attribute_set(arena: &SpanAttributeArena) -> AttributeSet<'_> {
    let mut set = arena.attributes(8);
    for index in 0..8_u64 {
        let index = black_box(index);
        set.push_concat(("key_", index), ("value_", index));
    }
    set.finish()
}

/// A copy of what the first run made, since the reset at its end leaves nothing to compare.
type FirstRun<T> = Rc<RefCell<Option<Vec<T>>>>;

fn attributes() -> Comparison {
    let first_run = FirstRun::default();
    let copy = Rc::clone(&first_run);
    let mut arena = SpanAttributeArena::new();
    let mut is_first = true;
    Comparison::new(
        1,
        heap_vec,
        move || {
            let set = black_box(attribute_set(&arena));
            if is_first {
                is_first = false;
                *copy.borrow_mut() = set.to_key_values().ok();
            }
            arena.reset();
        },
        move |peer, ()| agree(&peer, &first_run),
    )
    .with_clock(Clock::Thread)
}

/// Returns names, routes and identifiers of 8 to 71 bytes.
fn texts() -> Vec<String> {
    (0..64_usize)
        .map(|index| format!("text/{index:03}{}", "x".repeat(index)))
        .collect()
}

fn strings() -> Comparison {
    let first_run = FirstRun::default();
    let copy = Rc::clone(&first_run);
    let texts: Rc<[String]> = texts().into();
    let borrowed = Rc::clone(&texts);
    let mut arena = SpanAttributeArena::new();
    let mut is_first = true;
    Comparison::new(
        1,
        move || black_box(&texts[..]).to_vec(),
        move || {
            // The list itself is in the arena, as the peer's is on the heap.
            let list = black_box(arena.try_alloc_strs(black_box(&borrowed[..])));
            if is_first {
                is_first = false;
                let copies = list.map(|list| list.iter().map(ToString::to_string).collect());
                *copy.borrow_mut() = copies.ok();
            }
            arena.reset();
        },
        move |peer, ()| agree(&peer, &first_run),
    )
    .with_clock(Clock::Thread)
}

fn agree<T: PartialEq + std::fmt::Debug>(peer: &[T], ours: &FirstRun<T>) -> Result<(), String> {
    let ours = ours.borrow();
    if ours.as_deref() == Some(peer) {
        Ok(())
    } else {
        Err(format!("the peer made {peer:?}, ours {ours:?}"))
    }
}
