use crate::core::Core;
use zerospan_export::ExportStats;
use zerospan_pool::Pool;

/// Where every span of a provider is.
///
/// Exact when no thread is in the middle of a start or an end; off by those that are otherwise.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceStats {
    /// Spans that were asked for, but for those in contexts where telemetry is suppressed.
    pub started: u64,
    /// Of these, spans that the sampler chose to export.
    pub sampled: u64,
    /// Of these, spans that the sampler chose to record for the processors only.
    pub record_only: u64,
    /// Of these, spans that the sampler dropped.
    pub not_recorded: u64,
    /// Of these, spans that were no-ops because the provider was shut down or disabled: they carry their parent's context on.
    pub refused: u64,
    /// Sampled spans that have not ended yet. One that was leaked stays here.
    pub open: u64,
    /// Record-only spans that have not ended yet.
    pub record_only_open: u64,
    /// Spans that ended here, and began in the process that this one was forked from: the parent's to export. They are in
    /// none of the numbers above, which a forked child counts from zero.
    pub inherited: u64,
    /// Slots of ended spans that are kept for later ones.
    pub idle_slots: usize,
    /// Threads that have started or ended a span here, and live.
    pub threads: usize,
    /// What became of the sampled spans that ended: for each exporter, in order.
    pub exports: Vec<ExportStats>,
}

impl TraceStats {
    pub(crate) fn new(core: &Core, exports: Vec<ExportStats>) -> Self {
        let (sum, threads) = core.counts();
        Self {
            idle_slots: core.slots.len() + sum.spares as usize,
            threads,
            started: sum.sampled + sum.record_only + sum.not_recorded + sum.refused,
            sampled: sum.sampled,
            record_only: sum.record_only,
            not_recorded: sum.not_recorded,
            refused: sum.refused,
            open: sum.sampled.saturating_sub(sum.ended),
            record_only_open: sum.record_only.saturating_sub(sum.record_only_ended),
            inherited: sum.inherited,
            exports,
        }
    }

    /// Whether every span is accounted for: each sampled one is open, or was given to each exporter, which delivered it, was
    /// told that it is rejected, dropped it for a cause or still has it.
    ///
    /// An exporter that other providers or callers record into as well has more than this provider gave it.
    pub fn is_balanced(&self) -> bool {
        let ended = self.sampled - self.open;
        self.exports
            .iter()
            .all(|export| export.is_balanced() && export.recorded >= ended)
    }
}
