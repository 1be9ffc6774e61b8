//! What tracing costs: what a side used, less what the side without tracing used for the same requests.

use crate::arguments::Side;
use crate::child::Sample;
use serde::Serialize;
use std::collections::BTreeMap;

/// How the figures come about, for the reader.
pub(crate) const METHOD: &str = "Each side is a process of its own that serves all three services on one thread; the \
requests come from outside it. The sides answer the same requests in turns, round by round, and at the end of each round \
export everything. Its cost per span is what a traced side used in a round less what the side without tracing used in the \
same round, divided by the spans of the round: processor time of the whole process (median of the rounds, with \
the quartiles beside it), and heap allocations of all its threads (all rounds together). Headers are what W3C propagation \
allocates, by the SDK's propagator on the stock side and by `TraceParent` on ours. Exporting is what other threads \
than the services' allocate. Recording is the rest, what HTTP allocates for the longer headers included.";

/// What one side used over the rounds.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) side: Side,
    /// Before the first round, and after each.
    pub(crate) samples: Vec<Sample>,
}

/// What tracing a span costs on a side.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Figures {
    pub(crate) side: Side,
    pub(crate) name: &'static str,
    pub(crate) spans: u64,
    pub(crate) delivered: u64,
    pub(crate) dropped: u64,
    pub(crate) dropped_by_cause: BTreeMap<String, u64>,
    pub(crate) allocations_per_span: Split,
    pub(crate) bytes_per_span: f64,
    pub(crate) cpu_ns_per_span: Quartiles,
}

/// Allocations by where they are made.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Split {
    pub(crate) total: f64,
    /// On the services' thread, without what propagation makes.
    pub(crate) recording: f64,
    pub(crate) headers: f64,
    /// On all other threads.
    pub(crate) exporting: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Quartiles {
    pub(crate) low: f64,
    pub(crate) median: f64,
    pub(crate) high: f64,
}

/// What a request costs on the side without tracing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Plain {
    pub(crate) allocations_per_request: f64,
    pub(crate) cpu_ns_per_request: Quartiles,
}

impl Figures {
    /// `spans` of each round must be known; `warm_up` is how many spans were made before the first.
    pub(crate) fn new(run: &Run, plain: &Run, spans: &[u64], warm_up: u64) -> Self {
        let total: u64 = spans.iter().sum();
        let per_span = |figure: &dyn Fn(&Sample) -> u64| {
            (used(run, figure) - used(plain, figure)) / total as f64
        };
        let all = per_span(&|sample| sample.allocations);
        let service = per_span(&|sample| sample.service_allocations);
        let headers = per_span(&|sample| sample.propagation_allocations);
        let cpu = rounds(run)
            .zip(rounds(plain))
            .zip(spans)
            .map(|((side, plain), spans)| (side - plain) / *spans as f64);

        let counts = &run.samples[run.samples.len() - 1].counts;
        let spans = total + warm_up;
        let mut dropped_by_cause = counts.dropped.clone();
        let seen = counts.delivered + dropped_by_cause.values().sum::<u64>();
        if seen < spans {
            let queue = dropped_by_cause.entry("before the exporter".to_owned());
            *queue.or_default() += spans - seen;
        }
        Self {
            side: run.side,
            name: match run.side {
                Side::Plain => "no tracing",
                Side::Zerospan => "zerospan",
                Side::Stock => "stock SDK",
            },
            spans,
            delivered: counts.delivered,
            dropped: dropped_by_cause.values().sum(),
            dropped_by_cause,
            allocations_per_span: Split {
                total: cents(all),
                recording: cents(service - headers),
                headers: cents(headers),
                exporting: cents(all - service),
            },
            bytes_per_span: per_span(&|sample| sample.bytes).round(),
            cpu_ns_per_span: Quartiles::of(cpu.collect()),
        }
    }
}

impl Plain {
    pub(crate) fn new(run: &Run, requests: &[u64]) -> Self {
        let total: u64 = requests.iter().sum();
        let cpu = rounds(run)
            .zip(requests)
            .map(|(round, requests)| round / *requests as f64);
        Self {
            allocations_per_request: cents(used(run, &|sample| sample.allocations) / total as f64),
            cpu_ns_per_request: Quartiles::of(cpu.collect()),
        }
    }
}

impl Quartiles {
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |quarter: usize| {
            let index = (values.len().saturating_sub(1)) * quarter / 4;
            values.get(index).copied().unwrap_or_default().round()
        };
        Self {
            low: at(1),
            median: at(2),
            high: at(3),
        }
    }
}

/// What a side used of something in all rounds.
fn used(run: &Run, figure: &dyn Fn(&Sample) -> u64) -> f64 {
    match (run.samples.first(), run.samples.last()) {
        (Some(first), Some(last)) => figure(last) as f64 - figure(first) as f64,
        _ => 0.0,
    }
}

/// The processor time of each round.
fn rounds(run: &Run) -> impl Iterator<Item = f64> + '_ {
    run.samples
        .windows(2)
        .map(|pair| (pair[1].cpu_nanos - pair[0].cpu_nanos) as f64)
}

/// Two decimals, and no negative zero.
fn cents(value: f64) -> f64 {
    (value * 100.0).round() / 100.0 + 0.0
}

#[cfg(test)]
mod tests {
    use super::{Figures, Quartiles, Run};
    use crate::arguments::Side;
    use crate::child::Sample;
    use crate::telemetry::Counts;

    fn sample(cpu: u64, allocations: u64, service: u64, headers: u64, delivered: u64) -> Sample {
        Sample {
            cpu_nanos: cpu,
            allocations,
            bytes: 0,
            service_allocations: service,
            propagation_allocations: headers,
            counts: Counts {
                delivered,
                ..Counts::default()
            },
        }
    }

    #[test]
    fn the_cost_of_tracing_is_what_the_plain_side_did_not_use() {
        let run = Run {
            side: Side::Stock,
            samples: vec![sample(0, 0, 0, 0, 5), sample(30_000, 160, 130, 20, 14)],
        };
        let plain = Run {
            side: Side::Plain,
            samples: vec![sample(0, 0, 0, 0, 0), sample(10_000, 100, 100, 0, 0)],
        };
        let figures = Figures::new(&run, &plain, &[10], 5);
        assert_eq!(figures.cpu_ns_per_span.median, 2_000.0);
        let split = &figures.allocations_per_span;
        assert_eq!((split.total, split.recording), (6.0, 1.0));
        assert_eq!((split.headers, split.exporting), (2.0, 3.0));
        assert_eq!(
            (figures.spans, figures.delivered, figures.dropped),
            (15, 14, 1)
        );
    }

    #[test]
    fn quartiles_are_of_the_sorted_values() {
        let quartiles = Quartiles::of(vec![5.0, 1.0, 4.0, 2.0, 3.0]);
        assert_eq!(
            (quartiles.low, quartiles.median, quartiles.high),
            (2.0, 3.0, 4.0)
        );
    }
}
