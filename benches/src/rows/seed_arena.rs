//! What one arena for a request saves over as many objects on the heap.

use super::workload::heap_vec;
use crate::{Budget, Clock, Contest, Row};
use opentelemetry::KeyValue;
use std::cell::RefCell;
use std::hint::black_box;
use std::rc::Rc;
use zerospan_arena::{AttributeSet, SpanAttributeArena};

/// The rows of this area.
pub(super) const ROWS: &[Row] = &[
    Row {
        id: "seed.arena",
        peer: "8 formatted attributes in a Vec<KeyValue>, dropped",
        ours: "the same 8 formatted into an arena, reset",
        budget: Budget::AtLeast(4.4),
        allocations: Some(0.0),
        prepare: attributes,
    },
    Row {
        id: "seed.bulk",
        peer: "64 strings of a request on the heap, dropped",
        ours: "the same 64 copied into an arena, reset",
        budget: Budget::AtLeast(5.0),
        allocations: Some(0.0),
        prepare: bulk,
    },
];

/// The same text as `heap_vec`, formatted where it stays.
fn arena_set(arena: &SpanAttributeArena) -> AttributeSet<'_> {
    let mut set = arena.attributes(8);
    for index in 0..8_u64 {
        // As the peer's: a number that the compiler cannot know.
        let index = black_box(index);
        set.push_concat(("key_", index), ("value_", index));
    }
    set.finish()
}

/// What the first run of our side left in the arena: the reset that ends the run leaves nothing to compare later.
type Seen<T> = Rc<RefCell<Option<Vec<T>>>>;

fn attributes() -> Contest {
    let seen: Seen<KeyValue> = Rc::default();
    let record = Rc::clone(&seen);
    let mut arena = SpanAttributeArena::new();
    let mut first = true;
    Contest::new(
        1,
        heap_vec,
        move || {
            let set = black_box(arena_set(&arena));
            if first {
                first = false;
                *record.borrow_mut() = set.to_key_values().ok();
            }
            arena.reset();
        },
        move |peer, ()| agree(&peer, &seen),
    )
    .with_clock(Clock::Thread)
}

/// Names, routes and identifiers as a request has them: 8 to 71 bytes long.
fn texts() -> Vec<String> {
    (0..64_usize)
        .map(|index| format!("text/{index:03}{}", "x".repeat(index)))
        .collect()
}

fn bulk() -> Contest {
    let seen: Seen<String> = Rc::default();
    let record = Rc::clone(&seen);
    let texts: Rc<[String]> = texts().into();
    let borrowed = Rc::clone(&texts);
    let mut arena = SpanAttributeArena::new();
    let mut first = true;
    Contest::new(
        1,
        move || black_box(&texts[..]).to_vec(),
        move || {
            // The list lies in the arena as well, as the peer's lies on the heap.
            let list = black_box(arena.try_alloc_strs(black_box(&borrowed[..])));
            if first {
                first = false;
                let copies = list.map(|list| list.iter().map(ToString::to_string).collect());
                *record.borrow_mut() = copies.ok();
            }
            arena.reset();
        },
        move |peer, ()| agree(&peer, &seen),
    )
    .with_clock(Clock::Thread)
}

fn agree<T: PartialEq + std::fmt::Debug>(peer: &[T], seen: &Seen<T>) -> Result<(), String> {
    let seen = seen.borrow();
    if seen.as_deref() == Some(peer) {
        Ok(())
    } else {
        Err(format!("the peer made {peer:?}, ours {seen:?}"))
    }
}
