use crate::rows::trace::sides::{Ours, Outcome, Peer};
use opentelemetry_sdk::trace::SdkTracer;
use std::fmt;
use zerospan_trace::Tracer;

/// The three sides at one value, each with a provider of its own.
pub struct Sides {
    spans: u64,
    sides: [Box<dyn FnMut() -> Outcome>; 3],
}

impl Sides {
    /// Each side does the work of `spans` spans in one run.
    pub(super) fn new(
        spans: u64,
        native: impl FnMut() -> Outcome + 'static,
        traits: impl FnMut() -> Outcome + 'static,
        stock: impl FnMut() -> Outcome + 'static,
    ) -> Self {
        Self {
            spans,
            sides: [Box::new(native), Box::new(traits), Box::new(stock)],
        }
    }

    /// Sides whose work is one span, or one tree of `spans_each` spans, again and again.
    pub(super) fn repeating(
        times: u64,
        spans_each: u64,
        mut native: impl FnMut(&Tracer) -> u64 + 'static,
        mut traits: impl FnMut(&Tracer) -> u64 + 'static,
        mut stock: impl FnMut(&SdkTracer) -> u64 + 'static,
    ) -> Self {
        let (mut one, mut other, mut peer) = (Ours::new(), Ours::new(), Peer::new());
        Self::new(
            times * spans_each,
            move || one.run(|tracer| (0..times).map(|_| native(tracer)).sum()),
            move || other.run(|tracer| (0..times).map(|_| traits(tracer)).sum()),
            move || peer.run(|tracer| (0..times).map(|_| stock(tracer)).sum()),
        )
    }

    /// How many spans one run of a side makes.
    pub(super) fn spans(&self) -> u64 {
        self.spans
    }

    /// One run of a side.
    pub(super) fn run(&mut self, side: usize) -> Result<(), String> {
        match (self.sides[side])().counts()? {
            sent if sent == self.spans => Ok(()),
            sent => Err(format!("sent {sent} of {} spans", self.spans)),
        }
    }

    /// Runs every side for the first time, and holds what they send against each other.
    pub(super) fn check(&mut self) -> Result<(), String> {
        let [native, traits, stock] = &mut self.sides;
        let (native, traits, stock) = (native().told()?, traits().told()?, stock().told()?);
        for (side, told) in [("native calls", native), ("the traits", traits)] {
            if told != stock {
                return Err(format!("the stock SDK sends {stock:#?}, {side} {told:#?}"));
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Sides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sides")
            .field("spans", &self.spans)
            .finish_non_exhaustive()
    }
}
