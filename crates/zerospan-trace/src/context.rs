//! Parents of spans: which spans are active on a thread, what a caller may choose, and what comes out of both.

pub(crate) mod active_spans;
pub(crate) mod options;
pub(crate) mod parent;
pub(crate) mod resolve;
