use crate::span::ProviderInner;
use zerospan_export::{ExportStats, Pipeline};
use zerospan_pool::Pool;

/// The number of a provider's spans in every state.
///
/// Exact while no thread is starting or ending a span; otherwise a snapshot may miss the spans in between.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceStats {
    /// Spans that were started, except in contexts where telemetry is suppressed. The sum of the next four.
    pub started: u64,
    /// Spans that the sampler chose to export.
    pub sampled: u64,
    /// Spans that the sampler chose to record for the processors only.
    pub record_only: u64,
    /// Spans that the sampler dropped.
    pub not_recorded: u64,
    /// Spans that are no-ops because the provider was shut down or disabled. They carry their parent's context on.
    pub refused: u64,
    /// Sampled spans that have not ended. Includes leaked spans.
    pub open: u64,
    /// Record-only spans that have not ended.
    pub record_only_open: u64,
    /// Spans that ended in this process and started in its parent, before a fork: the parent exports them. Not included in
    /// the other numbers, which start at zero in a forked child.
    pub inherited: u64,
    /// Slots of ended spans that are kept for later spans.
    pub idle_slots: usize,
    /// Live threads that have started or ended a span.
    pub threads: usize,
    /// The state of the sampled spans that ended, for each exporter, in order.
    pub exports: Vec<ExportStats>,
}

impl TraceStats {
    pub(super) fn new(provider: &ProviderInner) -> Self {
        let exports = provider.pipelines().map(Pipeline::stats).collect();
        let (totals, threads) = provider.threads.totals();
        Self {
            idle_slots: provider.slots.len() + totals.spare_slots as usize,
            threads,
            started: totals.sampled + totals.record_only + totals.not_recorded + totals.refused,
            sampled: totals.sampled,
            record_only: totals.record_only,
            not_recorded: totals.not_recorded,
            refused: totals.refused,
            open: totals.sampled.saturating_sub(totals.sampled_ended),
            record_only_open: totals.record_only.saturating_sub(totals.record_only_ended),
            inherited: totals.inherited,
            exports,
        }
    }

    /// Returns `true` if every sampled span is accounted for: it is open, or every exporter has delivered it, had it rejected,
    /// dropped it for a counted cause, or still holds it.
    ///
    /// An exporter that other providers or callers use too holds more spans than this provider's.
    pub fn is_balanced(&self) -> bool {
        let ended = self.sampled - self.open;
        self.exports
            .iter()
            .all(|export| export.is_balanced() && export.recorded >= ended)
    }
}

#[cfg(test)]
mod tests {
    use super::TraceStats;
    use zerospan_export::ExportStats;

    #[test]
    fn an_exporter_that_lacks_a_span_leaves_the_counts_unbalanced() {
        let mut export = ExportStats::default();
        export.recorded = 3;
        export.delivered = 3;
        let mut stats = TraceStats {
            sampled: 5,
            open: 2,
            exports: vec![export; 2],
            ..TraceStats::default()
        };
        assert!(stats.is_balanced());
        stats.open = 1;
        assert!(!stats.is_balanced(), "an ended span was not recorded");
        stats.open = 3;
        assert!(stats.is_balanced(), "other providers may use the exporter");
        stats.exports[1].delivered = 2;
        assert!(!stats.is_balanced(), "an exporter lost a span");
    }
}
