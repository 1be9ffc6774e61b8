//! The lowest layer: time, ids and variables. Knows nothing of spans.

pub(crate) mod clock;
pub(crate) mod env;
pub(crate) mod ids;
