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

#[cfg(test)]
mod tests {
    use super::LogStats;
    use zerospan_export::ExportStats;

    #[test]
    fn one_exporter_that_lacks_a_record_leaves_the_counts_unbalanced() {
        let mut export = ExportStats::default();
        let mut stats = LogStats {
            exports: vec![export; 2],
            ..LogStats::default()
        };
        assert!(stats.is_balanced());
        export.recorded = 1;
        stats.exports[1] = export;
        assert!(!stats.is_balanced());
    }
}
