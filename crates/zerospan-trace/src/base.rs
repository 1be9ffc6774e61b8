//! The lowest layer: time, ids and logging. Knows nothing of spans.

pub(crate) mod clock;
pub(crate) mod ids;
pub(crate) mod log;
