use super::spans::{start, start_native};
use super::{Series, Sides};
use crate::rows::trace::sides::{Ours, Outcome, Peer};
use opentelemetry::trace::Span;

pub(super) const SERIES: Series = Series {
    id: "in_flight",
    title: "Spans in flight",
    axis: "spans open at the same time",
    work: "root spans of 8 attributes; all are started before the first one ends, and they end in the order of their start",
    values: &[1, 10, 100, 1_000, 10_000, 100_000],
    prepare,
};

/// Spans that end before a flush: what is in flight is to be measured, not a queue that overflows.
const ENDED_AT_ONCE: u64 = 1_000;
const ATTRIBUTES: usize = 8;

fn prepare(in_flight: u64) -> Sides {
    let (mut one, mut other, mut peer) = (Ours::new(), Ours::new(), Peer::new());
    let (native, traits, stock) = (
        one.tracer().clone(),
        other.tracer().clone(),
        peer.tracer().clone(),
    );
    Sides::new(
        in_flight.max(ENDED_AT_ONCE),
        waves(
            in_flight,
            move || start_native(&native, ATTRIBUTES),
            end,
            move |ended| one.run(|_| ended),
        ),
        waves(
            in_flight,
            move || start(&traits, ATTRIBUTES),
            end,
            move |ended| other.run(|_| ended),
        ),
        waves(
            in_flight,
            move || start(&stock, ATTRIBUTES),
            end,
            move |ended| peer.run(|_| ended),
        ),
    )
}

/// Whether the span was recorded.
fn end(mut span: impl Span) -> bool {
    let recorded = span.is_recording();
    span.end();
    recorded
}

/// Opens as many spans as are to be in flight, then ends them; again until [`ENDED_AT_ONCE`] have ended.
fn waves<S>(
    in_flight: u64,
    mut start: impl FnMut() -> S,
    mut end: impl FnMut(S) -> bool,
    mut deliver: impl FnMut(u64) -> Outcome,
) -> impl FnMut() -> Outcome {
    let mut open = Vec::with_capacity(in_flight as usize);
    move || {
        let mut outcome = Outcome::default();
        let mut ended = 0;
        for _ in 0..(ENDED_AT_ONCE / in_flight).max(1) {
            open.extend((0..in_flight).map(|_| start()));
            for span in open.drain(..) {
                ended += u64::from(end(span));
                if ended == ENDED_AT_ONCE {
                    outcome = std::mem::take(&mut outcome).and(deliver(ended));
                    ended = 0;
                }
            }
        }
        outcome
    }
}
