use super::spans::{whole, whole_native};
use super::{Series, Sides};

pub(super) const SERIES: Series = Series {
    id: "attributes",
    title: "Attributes",
    axis: "attributes a span",
    work: "a root span; each attribute is a constant text of 23 bytes",
    values: &[0, 1, 2, 4, 8, 16, 32, 64, 96, 128],
    prepare,
};

/// Spans of one run: at most 8 MB, which fits the memory of our queue.
const SPANS: u64 = 1_000;

fn prepare(attributes: u64) -> Sides {
    let attributes = attributes as usize;
    Sides::repeating(
        SPANS,
        1,
        move |tracer| whole_native(tracer, attributes),
        move |tracer| whole(tracer, attributes),
        move |tracer| whole(tracer, attributes),
    )
}
