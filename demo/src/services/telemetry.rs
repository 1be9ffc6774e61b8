//! Shared by both sides: the names of the services, the size of the queue, and the counts.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The services. Each has its own provider, as in separate processes.
pub(crate) const SERVICES: [&str; 3] = ["storefront", "catalog", "pricing"];

/// The capacity of the queues, on both sides enough for the spans of all concurrent requests, however slow the collector.
pub(crate) const QUEUE: usize = 16_384;

/// Spans by outcome.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) delivered: u64,
    /// Dropped spans by cause.
    pub(crate) dropped: BTreeMap<String, u64>,
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
