//! How far a span is from the least that it could cost: the speed of light, in the same run.

use super::trace::eight_native;
use super::trace::sides::Ours;
use crate::{Budget, Clock, Contest, Row};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng};
use std::hint::black_box;

/// The rows of this area.
pub(super) const ROWS: &[Row] = &[Row {
    id: "limit.native",
    peer: "two readings of the counter, three random numbers, one copy of the encoded span",
    ours: "a span of 8 attributes through native calls, caller's thread",
    budget: Budget::AtMost(1.6),
    allocations: Some(0.0),
    prepare: native,
}];

/// Spans of one run: they fit our queue.
const SPANS: u64 = 2_000;
/// As large as a chunk of the pipeline, so that the copies stay as near to the processor as ours.
const BUFFER: usize = 64 << 10;

fn native() -> Contest {
    let mut ours = Ours::new();
    // What is copied is what we send.
    let first = ours
        .run(eight_native)
        .first_span()
        .unwrap_or_else(|reason| panic!("{reason}"));
    let expected = SPANS * first.len() as u64;
    let mut light = Light::new(first);
    Contest::new(
        SPANS,
        move || (0..SPANS).map(|_| light.span()).sum::<u64>(),
        move || {
            ours.run(|tracer| (0..SPANS).map(|_| eight_native(tracer)).sum())
                .counts()
        },
        move |copied: u64, sent: Result<u64, String>| match sent {
            Ok(SPANS) if copied == expected => Ok(()),
            sent => Err(format!(
                "copied {copied} of {expected} bytes, sent {sent:?}"
            )),
        },
    )
    .with_clock(Clock::Thread)
}

/// What no tracer of this kind can leave out: when, who, and the bytes.
struct Light {
    clock: quanta::Clock,
    ids: Xoshiro256PlusPlus,
    encoded: Vec<u8>,
    buffer: Vec<u8>,
}

impl Light {
    fn new(encoded: Vec<u8>) -> Self {
        Self {
            clock: quanta::Clock::new(),
            ids: Xoshiro256PlusPlus::seed_from_u64(1),
            encoded,
            buffer: Vec::with_capacity(BUFFER),
        }
    }

    /// How many bytes were copied.
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
