//! What a side says of its tracing.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The services, each with a provider of its own, as if each were a process of its own.
pub(crate) const SERVICES: [&str; 3] = ["storefront", "catalog", "pricing"];

/// How many spans may wait: both sides have room for what all requests at a time make, however slow the collector.
pub(crate) const QUEUE: usize = 16_384;

/// What became of the spans.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) delivered: u64,
    /// By cause.
    pub(crate) dropped: BTreeMap<String, u64>,
}

/// The tracing of one process.
pub(crate) trait Telemetry: Send {
    /// Delivers what has ended. What cannot be delivered is in the counts.
    fn flush(&self);

    fn counts(&self) -> Counts;
}

/// No tracing.
pub(crate) struct Nothing;

impl Telemetry for Nothing {
    fn flush(&self) {}

    fn counts(&self) -> Counts {
        Counts::default()
    }
}
