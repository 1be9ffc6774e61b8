//! Counters of started and ended spans. Each thread counts for itself, and a sum is built on request.

mod registry;

pub(crate) use registry::ThreadRegistry;

use crate::sdk::SamplingDecision;
use std::sync::atomic::{AtomicU64, Ordering};

/// One thread's counters of one provider. The thread alone writes them, without read-modify-write; all threads read them.
#[derive(Debug, Default)]
// No two threads' counters share a cache line, nor the pair of lines that is prefetched together.
#[repr(align(128))]
pub(crate) struct Counters {
    /// Spans that are recorded and exported.
    sampled: Counter,
    /// Spans that are recorded and not exported.
    record_only: Counter,
    /// Spans that the sampler dropped.
    not_recorded: Counter,
    /// Spans that were started after the shutdown.
    pub(crate) refused: Counter,
    /// Sampled spans that ended.
    sampled_ended: Counter,
    /// Record-only spans that ended.
    record_only_ended: Counter,
    /// Spans that ended in this process and started in its parent, before a fork.
    pub(crate) inherited: Counter,
    /// The number of slots that the thread keeps at hand: 0 or 1.
    pub(crate) spare_slots: Counter,
}

/// A number that one thread writes.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    #[inline]
    pub(crate) fn increment(&self) {
        let count = self.0.load(Ordering::Relaxed);
        self.0.store(count.wrapping_add(1), Ordering::Relaxed);
    }

    /// Wraps: another thread may have counted what this one takes back. The sum of all threads is right.
    fn decrement(&self) {
        self.0.store(self.get().wrapping_sub(1), Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn set(&self, count: u64) {
        self.0.store(count, Ordering::Relaxed);
    }
}

impl Counters {
    /// Counts a span that starts. Returns `None` if it is not recorded, and otherwise `true` if it is exported.
    #[inline]
    pub(crate) fn count_start(&self, decision: &SamplingDecision) -> Option<bool> {
        match decision {
            SamplingDecision::RecordAndSample => {
                self.sampled.increment();
                Some(true)
            }
            SamplingDecision::RecordOnly => {
                self.record_only.increment();
                Some(false)
            }
            SamplingDecision::Drop => {
                self.not_recorded.increment();
                None
            }
        }
    }

    /// Forgets a span that started, of which [`count_start`](Self::count_start) returned `is_exported`.
    pub(crate) fn forget_start(&self, is_exported: bool) {
        if is_exported {
            self.sampled.decrement();
        } else {
            self.record_only.decrement();
        }
    }

    /// Counts a span that ends.
    #[inline]
    pub(crate) fn count_end(&self, is_exported: bool) {
        if is_exported {
            self.sampled_ended.increment();
        } else {
            self.record_only_ended.increment();
        }
    }

    /// Sets every counter to 0.
    pub(crate) fn reset(&self) {
        for counter in [
            &self.sampled,
            &self.record_only,
            &self.not_recorded,
            &self.refused,
            &self.sampled_ended,
            &self.record_only_ended,
            &self.inherited,
            &self.spare_slots,
        ] {
            counter.set(0);
        }
    }
}

/// The sum of several threads' counters.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) sampled: u64,
    pub(crate) record_only: u64,
    pub(crate) not_recorded: u64,
    pub(crate) refused: u64,
    pub(crate) sampled_ended: u64,
    pub(crate) record_only_ended: u64,
    pub(crate) inherited: u64,
    pub(crate) spare_slots: u64,
}

impl Totals {
    fn add(&mut self, counters: &Counters) {
        // Ends are read before starts: a snapshot may show a span as open that has just ended, never one that ended twice.
        self.sampled_ended += counters.sampled_ended.get();
        self.record_only_ended += counters.record_only_ended.get();
        self.sampled = self.sampled.wrapping_add(counters.sampled.get());
        self.record_only = self.record_only.wrapping_add(counters.record_only.get());
        self.not_recorded += counters.not_recorded.get();
        self.refused += counters.refused.get();
        self.inherited += counters.inherited.get();
        self.spare_slots += counters.spare_slots.get();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn what_each_thread_counts_is_added_up_and_kept_when_it_ends() {
        let registry = ThreadRegistry::new();
        assert!(registry.is_used_here());
        let threads = [Arc::new(Counters::default()), Arc::new(Counters::default())];
        for counters in &threads {
            registry.register(counters);
            for (decision, exported) in [
                (SamplingDecision::RecordAndSample, Some(true)),
                (SamplingDecision::RecordAndSample, Some(true)),
                (SamplingDecision::RecordAndSample, Some(true)),
                (SamplingDecision::RecordOnly, Some(false)),
                (SamplingDecision::RecordOnly, Some(false)),
                (SamplingDecision::Drop, None),
            ] {
                assert_eq!(counters.count_start(&decision), exported);
            }
            counters.count_end(true);
            counters.count_end(true);
            counters.count_end(false);
            counters.refused.set(5);
            counters.inherited.set(6);
            counters.spare_slots.set(1);
        }
        let check = |slots, live| {
            let (totals, threads) = registry.totals();
            assert_eq!((totals.sampled, totals.sampled_ended), (6, 4));
            assert_eq!((totals.record_only, totals.record_only_ended), (4, 2));
            assert_eq!((totals.not_recorded, totals.refused), (2, 10));
            assert_eq!((totals.inherited, totals.spare_slots), (12, slots));
            assert_eq!(threads, live);
        };
        check(2, 2);
        registry.unregister(&threads[0]);
        check(2, 1);
        for counter in [
            &threads[0].sampled,
            &threads[0].record_only,
            &threads[0].not_recorded,
            &threads[0].refused,
            &threads[0].sampled_ended,
            &threads[0].record_only_ended,
            &threads[0].inherited,
            &threads[0].spare_slots,
        ] {
            assert_eq!(counter.get(), 0);
        }
        // A second time changes nothing.
        registry.unregister(&threads[0]);
        check(2, 1);
    }

    #[test]
    fn a_start_that_another_thread_forgets_leaves_the_sum_right() {
        let registry = ThreadRegistry::new();
        let (one, other) = (Arc::new(Counters::default()), Arc::new(Counters::default()));
        registry.register(&one);
        registry.register(&other);
        one.count_start(&SamplingDecision::RecordAndSample);
        one.count_start(&SamplingDecision::RecordOnly);
        other.forget_start(true);
        let (totals, _) = registry.totals();
        assert_eq!((totals.sampled, totals.record_only), (0, 1));
        other.forget_start(false);
        let (totals, _) = registry.totals();
        assert_eq!((totals.sampled, totals.record_only), (0, 0));
    }
}
