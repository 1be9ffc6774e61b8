//! The three services of a side, once without tracing and once for each way to trace them.

pub(crate) mod logic;
pub(crate) mod official;
pub(crate) mod propagation;
pub(crate) mod telemetry;
pub(crate) mod untraced;
pub(crate) mod zerospan;
