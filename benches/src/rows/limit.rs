//! The distance of a span to the work that no tracer can avoid.

use super::trace::eight_native;
use super::tracing::eight;
use crate::clock::Clock;
use crate::comparison::{Budget, Comparison, Row};
use crate::pipelines::{QUEUE, Zerospan, agree};
use crate::subscriber::TracingSide;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng};
use std::hint::black_box;

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "limit.native",
        peer: "two readings of the counter, three random numbers, one copy of the encoded span",
        ours: "a span of 8 attributes through native calls, caller's thread, into a chunk as warm as the peer's buffer",
        budget: Budget::AtMost(2.5),
        allocations: Some(0.0),
        // Else the row shows where the worker runs.
        prepare: || Comparison::on_one_core(native),
    },
    Row {
        id: "limit.tracing",
        peer: "a span of `tracing` with a layer that does nothing, and the same span through native calls",
        ours: "the span of `tracing` with our layer, which adds no attributes, caller's thread",
        budget: Budget::AtMost(1.8),
        allocations: Some(0.0),
        prepare: tracing,
    },
];

const SPANS: u64 = 2_000;
/// The size of a chunk of the pipeline, so that both sides write to the same level of cache.
const BUFFER: usize = 64 << 10;

/// A run fits a chunk, and the flush is not timed: the chunk that comes back from the worker is in the cache of the one core.
fn native() -> Comparison {
    let mut ours = Zerospan::new(QUEUE);
    let span = ours
        .run(eight_native)
        .first_span()
        .unwrap_or_else(|error| panic!("{error}"));
    let spans = (BUFFER - BUFFER / 4) as u64 / span.len() as u64;
    let expected = spans * span.len() as u64;
    let mut limit = Limit::new(span);
    let tracer = ours.tracer().clone();
    let mut flushed = ours.clone();
    Comparison::new(
        spans,
        move || (0..spans).map(|_| limit.span()).sum::<u64>(),
        move || (0..spans).map(|_| eight_native(&tracer)).sum::<u64>(),
        move |copied, recorded| {
            let delivered = flushed.run(|_| recorded).delivered()?;
            if (copied, delivered) == (expected, spans) {
                Ok(())
            } else {
                Err(format!(
                    "copied {copied} of {expected} bytes, delivered {delivered} of {spans} spans"
                ))
            }
        },
    )
    .with_preparation(move || _ = ours.run(|_| 0))
    .with_clock(Clock::Thread)
}

fn tracing() -> Comparison {
    let no_op = TracingSide::no_op();
    let mut peer = Zerospan::new(QUEUE);
    let mut ours = super::tracing::bare_layer(Zerospan::new(QUEUE));
    Comparison::new(
        SPANS,
        move || {
            peer.run(|tracer| {
                no_op.take_turn(|| {
                    (0..SPANS)
                        .map(|_| {
                            eight();
                            eight_native(tracer)
                        })
                        .sum()
                })
            })
        },
        move || {
            ours.run(|side| {
                side.take_turn(|| (0..SPANS).for_each(|_| eight()));
                SPANS
            })
        },
        agree(SPANS),
    )
    .with_clock(Clock::Thread)
}

/// Two timestamps, the ids, and the bytes.
struct Limit {
    clock: quanta::Clock,
    ids: Xoshiro256PlusPlus,
    encoded: Vec<u8>,
    buffer: Vec<u8>,
}

impl Limit {
    fn new(encoded: Vec<u8>) -> Self {
        Self {
            clock: quanta::Clock::new(),
            ids: Xoshiro256PlusPlus::seed_from_u64(1),
            encoded,
            buffer: Vec::with_capacity(BUFFER),
        }
    }

    /// Returns the number of copied bytes.
    fn span(&mut self) -> u64 {
        black_box(self.clock.raw());
        black_box([
            self.ids.next_u64(),
            self.ids.next_u64(),
            self.ids.next_u64(),
        ]);
        black_box(self.clock.raw());
        if self.buffer.len() + self.encoded.len() > self.buffer.capacity() {
            black_box(&self.buffer);
            self.buffer.clear();
        }
        self.buffer.extend_from_slice(black_box(&self.encoded));
        self.encoded.len() as u64
    }
}
