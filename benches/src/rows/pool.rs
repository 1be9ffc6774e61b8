//! A span from the heap against a span from the pool.

use crate::comparison::{Budget, Comparison, Row};
use opentelemetry_sdk::trace::SpanData;
use std::hint::black_box;
use std::ops::DerefMut;
use zerospan_core::Recycle;
use zerospan_pool::{SpanPool, SpanRecycle};

pub(super) const ROWS: &[Row] = &[Row {
    id: "pool.span",
    peer: "a boxed SpanData with room for 16 attributes, 8 events, 4 links: built, dropped",
    ours: "an equal span acquired from SpanPool, reset and returned",
    // The design document has 20.8, against a stub that resets nothing: decision 0008.
    budget: Budget::AtLeast(5.0),
    allocations: Some(0.0),
    prepare: span_allocation,
}];

const SPANS: u64 = 64;

/// Both sides obtain an empty span with the same capacities and give it up. Neither writes to it: use costs the same on
/// both sides and would dilute the ratio. Ours resets every field all the same.
fn span_allocation() -> Comparison {
    let recycle = SpanRecycle::default();
    let pool = SpanPool::new(1024);
    Comparison::new(
        SPANS,
        move || capacities(|| recycle.create()),
        move || capacities(|| pool.acquire()),
        |peer: [usize; 3], ours| {
            if peer == ours {
                Ok(())
            } else {
                Err(format!(
                    "the capacities for attributes, events and links are {peer:?} and {ours:?}"
                ))
            }
        },
    )
}

fn capacities<S: DerefMut<Target = SpanData>>(mut acquire: impl FnMut() -> S) -> [usize; 3] {
    let mut capacities = [0; 3];
    for _ in 0..SPANS {
        let mut span = acquire();
        // Stands for a use: the whole span must be in memory.
        let ready: &mut SpanData = black_box(&mut span);
        capacities[0] += ready.attributes.capacity();
        capacities[1] += ready.events.events.capacity();
        capacities[2] += ready.links.links.capacity();
    }
    capacities
}
