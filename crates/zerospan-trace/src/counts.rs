use opentelemetry_sdk::trace::SamplingDecision;
use std::sync::atomic::{AtomicU64, Ordering};

/// One thread's counts of one provider: written by that thread alone, without read-modify-write, and read by all.
#[derive(Debug, Default)]
// Two threads' counts never share a cache line, nor the pair of lines that is fetched together.
#[repr(align(128))]
pub(crate) struct Counts {
    /// Spans that record and are exported.
    pub(crate) sampled: Count,
    /// Spans that record and are not exported.
    pub(crate) record_only: Count,
    /// Spans that the sampler dropped.
    pub(crate) not_recorded: Count,
    /// Spans that were asked for after the shutdown.
    pub(crate) refused: Count,
    /// Sampled spans that ended.
    sampled_ended: Count,
    /// Record-only spans that ended.
    record_only_ended: Count,
    /// Spans that ended here, and began in the process that this one was forked from.
    pub(crate) inherited: Count,
    /// Whether the thread has a slot at hand: 0 or 1.
    pub(crate) spare: Count,
}

/// A number that one thread raises.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    #[inline]
    pub(crate) fn raise(&self) {
        let so_far = self.0.load(Ordering::Relaxed);
        self.0.store(so_far.wrapping_add(1), Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn set(&self, number: u64) {
        self.0.store(number, Ordering::Relaxed);
    }
}

/// The sum of several threads' counts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sum {
    pub(crate) sampled: u64,
    pub(crate) record_only: u64,
    pub(crate) not_recorded: u64,
    pub(crate) refused: u64,
    pub(crate) ended: u64,
    pub(crate) record_only_ended: u64,
    pub(crate) inherited: u64,
    pub(crate) spares: u64,
}

impl Sum {
    pub(crate) fn add(&mut self, counts: &Counts) {
        // What ends is read before what begins: a snapshot taken mid-way shows a span open rather than ended twice.
        self.ended += counts.sampled_ended.read();
        self.record_only_ended += counts.record_only_ended.read();
        self.sampled += counts.sampled.read();
        self.record_only += counts.record_only.read();
        self.not_recorded += counts.not_recorded.read();
        self.refused += counts.refused.read();
        self.inherited += counts.inherited.read();
        self.spares += counts.spare.read();
    }
}

impl Counts {
    /// Counts a span that starts. Says whether it is exported, if it is recorded.
    #[inline]
    pub(crate) fn begun(&self, decision: &SamplingDecision) -> Option<bool> {
        match decision {
            SamplingDecision::RecordAndSample => {
                self.sampled.raise();
                Some(true)
            }
            SamplingDecision::RecordOnly => {
                self.record_only.raise();
                Some(false)
            }
            SamplingDecision::Drop => {
                self.not_recorded.raise();
                None
            }
        }
    }

    /// Counts a span that ends.
    #[inline]
    pub(crate) fn ended(&self, is_exported: bool) {
        if is_exported {
            self.sampled_ended.raise();
        } else {
            self.record_only_ended.raise();
        }
    }

    /// Starts to count anew.
    pub(crate) fn clear(&self) {
        for count in [
            &self.sampled,
            &self.record_only,
            &self.not_recorded,
            &self.refused,
            &self.sampled_ended,
            &self.record_only_ended,
            &self.inherited,
            &self.spare,
        ] {
            count.set(0);
        }
    }
}
