//! What a span costs to make and give up: from the heap, and from the pool.

use crate::{Budget, Contest, Row};
use opentelemetry_sdk::trace::SpanData;
use std::hint::black_box;
use std::ops::DerefMut;
use zerospan_core::Recycle;
use zerospan_pool::{SpanPool, SpanRecycle};

/// The rows of this area.
pub(super) const ROWS: &[Row] = &[Row {
    id: "seed.pool",
    peer: "a boxed SpanData with room for 16 attributes, 8 events, 4 links: built, dropped",
    ours: "an equal span acquired from SpanPool, reset and returned",
    budget: Budget::AtLeast(20.8),
    allocations: Some(0.0),
    prepare: span_allocation,
}];

/// How many spans one run makes and gives up, one after the other.
const SPANS: u64 = 64;

/// Both sides end each operation with an empty span of equal readiness in hand, and give it up. Neither writes into it:
/// what a use costs is the same on both sides and would only dilute what is measured. Ours resets every field on return
/// nevertheless, since the pool cannot know that nothing was written.
///
/// The outcome that is compared is the room for attributes, events and links that the spans had, read from each of them.
fn span_allocation() -> Contest {
    let recycle = SpanRecycle::default();
    let pool = SpanPool::new(1024);
    Contest::new(
        SPANS,
        move || rooms(|| recycle.create()),
        move || rooms(|| pool.acquire()),
        |peer: [usize; 3], ours| {
            if peer == ours {
                Ok(())
            } else {
                Err(format!(
                    "the peer's spans had room for {peer:?} attributes, events and links, ours for {ours:?}"
                ))
            }
        },
    )
}

fn rooms<S: DerefMut<Target = SpanData>>(mut acquire: impl FnMut() -> S) -> [usize; 3] {
    let mut rooms = [0; 3];
    for _ in 0..SPANS {
        let mut span = acquire();
        // As good as a use: the compiler must have the whole span ready in memory.
        let ready: &mut SpanData = black_box(&mut span);
        rooms[0] += ready.attributes.capacity();
        rooms[1] += ready.events.events.capacity();
        rooms[2] += ready.links.links.capacity();
    }
    rooms
}
