use super::crew::Crew;
use super::spans::{whole, whole_native};
use super::{Series, Sides};
use crate::rows::trace::sides::{Ours, Peer};

pub(super) const SERIES: Series = Series {
    id: "threads",
    title: "Threads",
    axis: "threads that record at the same time",
    work: "root spans of 8 attributes, all threads on one provider",
    values: &[1, 2, 4, 8],
    prepare,
};

/// Spans of one thread in one run: waking the thread is little beside them.
const SPANS: u64 = 4_000;
const ATTRIBUTES: usize = 8;

fn prepare(threads: u64) -> Sides {
    let spans = threads * SPANS;
    let (mut one, mut other, mut peer) = (
        Ours::with_queue(spans),
        Ours::with_queue(spans),
        Peer::with_queue(spans),
    );
    let native = Crew::of(threads, one.tracer(), |tracer| {
        (0..SPANS).map(|_| whole_native(tracer, ATTRIBUTES)).sum()
    });
    let traits = Crew::of(threads, other.tracer(), |tracer| {
        (0..SPANS).map(|_| whole(tracer, ATTRIBUTES)).sum()
    });
    let stock = Crew::of(threads, peer.tracer(), |tracer| {
        (0..SPANS).map(|_| whole(tracer, ATTRIBUTES)).sum()
    });
    Sides::new(
        spans,
        move || one.run(|_| native.work()),
        move || other.run(|_| traits.work()),
        move || peer.run(|_| stock.work()),
    )
}
