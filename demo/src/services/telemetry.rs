//! The tracing of one process, configured by the environment on every side.

pub(crate) mod official;
pub(crate) mod zerospan;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Spans by outcome.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) delivered: u64,
    /// Dropped spans by cause.
    pub(crate) dropped: BTreeMap<String, u64>,
}

impl Counts {
    pub(crate) fn add(&mut self, other: Self) {
        self.delivered += other.delivered;
        for (cause, spans) in other.dropped {
            *self.dropped.entry(cause).or_default() += spans;
        }
    }
}

/// The tracing of one process.
pub(crate) trait Telemetry: Send {
    /// Delivers the spans that have ended. Those that cannot be delivered are in the counts.
    fn flush(&self);

    fn counts(&self) -> Counts;
}

/// No tracing.
pub(crate) struct NoTelemetry;

impl Telemetry for NoTelemetry {
    fn flush(&self) {}

    fn counts(&self) -> Counts {
        Counts::default()
    }
}
