use crate::state::ProviderInner;
use std::sync::atomic::Ordering;
use zerospan_export::{ExportStats, Pipeline};

/// The number of a provider's log records in every state.
///
/// Not included: records emitted where telemetry is suppressed, and those of a provider that is disabled.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogStats {
    /// Records that lost attributes to the limits.
    pub limited: u64,
    /// The state of the records that were emitted, for each exporter, in order.
    pub exports: Vec<ExportStats>,
}

impl LogStats {
    pub(super) fn new(provider: &ProviderInner) -> Self {
        let limited = match provider.is_used_here() {
            true => provider.limited.load(Ordering::Relaxed),
            false => 0,
        };
        Self {
            limited,
            exports: provider.pipelines().map(Pipeline::stats).collect(),
        }
    }

    /// Returns `true` if every record is accounted for: every exporter has delivered it, had it rejected, dropped it for a
    /// counted cause, or still holds it.
    pub fn is_balanced(&self) -> bool {
        self.exports.iter().all(ExportStats::is_balanced)
    }
}
