//! The lowest layer: time and ids. Knows nothing of spans.

pub(crate) mod clock;
pub(crate) mod ids;
