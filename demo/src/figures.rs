//! The cost of tracing: what a traced side used, less what the untraced side used for the same requests.

use crate::arguments::{Instrumentation, Side};
use crate::serve::Sample;
use serde::Serialize;
use std::collections::BTreeMap;

/// Explains the figures to the reader of the report.
pub(crate) fn method(instrumentation: Instrumentation) -> String {
    let (untraced, headers, logs) = match instrumentation {
        Instrumentation::Tracing => (
            "The untraced side runs the same code without a subscriber.",
            "with `OpenTelemetrySpanExt` and the global propagator, on both sides",
            " The requests that are drawn are of a short run apart from that, in which both sides export the events as log records \
             too, down to the level `debug`.",
        ),
        Instrumentation::Api => (
            "The untraced side has no calls to a tracer.",
            "with the SDK's propagator on the official side and `TraceParent` on ours",
            "",
        ),
    };
    format!(
        "Each side consists of three processes, one for each service, each with its service on one thread; requests come from \
         another process. On Linux, the services share a core, and the other process has the rest. The sides answer the same \
         requests in turns, round by round, and export everything at the end of each round. {untraced} The cost of a span is what \
         the processes of a traced side used in a round less what those of the untraced side used in the same round, divided by \
         the spans of the round: processor time (median and quartiles of the rounds), and heap allocations of all threads (all \
         rounds together). Headers are the allocations of W3C propagation, {headers}. Exporting is the allocations of all threads \
         but those of the services. Recording is the rest, including what HTTP allocates for the longer headers.{logs}"
    )
}

/// The samples of one side.
#[derive(Clone, Debug)]
pub(crate) struct SideSamples {
    pub(crate) side: Side,
    /// Before the first round, and after each.
    pub(crate) samples: Vec<Sample>,
}

/// The cost of tracing on one side.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Figures {
    pub(crate) side: Side,
    pub(crate) name: &'static str,
    pub(crate) spans: u64,
    pub(crate) delivered: u64,
    pub(crate) dropped: u64,
    pub(crate) dropped_by_cause: BTreeMap<String, u64>,
    pub(crate) allocations_per_span: AllocationSplit,
    pub(crate) bytes_per_span: f64,
    pub(crate) cpu_ns_per_span: Quartiles,
}

/// Allocations by their origin.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct AllocationSplit {
    pub(crate) total: f64,
    /// On the threads of the services, without propagation.
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

/// The cost of a request without tracing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Baseline {
    pub(crate) allocations_per_request: f64,
    pub(crate) cpu_ns_per_request: Quartiles,
}

impl Figures {
    /// `spans` are the spans of each round, and `warm_up` those before the first round.
    pub(crate) fn new(
        run: &SideSamples,
        untraced: &SideSamples,
        spans: &[u64],
        warm_up: u64,
    ) -> Self {
        let total: u64 = spans.iter().sum();
        let per_span = |figure: &dyn Fn(&Sample) -> u64| {
            (used(run, figure) - used(untraced, figure)) / total as f64
        };
        let all = per_span(&|sample| sample.allocations);
        let service = per_span(&|sample| sample.service_allocations);
        let headers = per_span(&|sample| sample.propagation_allocations);
        let cpu = rounds(run)
            .zip(rounds(untraced))
            .zip(spans)
            .map(|((side, untraced), spans)| (side - untraced) / *spans as f64);

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
                Side::Untraced => "no tracing",
                Side::Headers => "headers alone",
                Side::Zerospan => "zerospan",
                Side::Official => "official",
            },
            spans,
            delivered: counts.delivered,
            dropped: dropped_by_cause.values().sum(),
            dropped_by_cause,
            allocations_per_span: AllocationSplit {
                total: round_to_cents(all),
                recording: round_to_cents(service - headers),
                headers: round_to_cents(headers),
                exporting: round_to_cents(all - service),
            },
            bytes_per_span: per_span(&|sample| sample.bytes).round(),
            cpu_ns_per_span: Quartiles::from_values(cpu.collect()),
        }
    }
}

impl Baseline {
    pub(crate) fn new(run: &SideSamples, requests: &[u64]) -> Self {
        let total: u64 = requests.iter().sum();
        let cpu = rounds(run)
            .zip(requests)
            .map(|(round, requests)| round / *requests as f64);
        Self {
            allocations_per_request: round_to_cents(
                used(run, &|sample| sample.allocations) / total as f64,
            ),
            cpu_ns_per_request: Quartiles::from_values(cpu.collect()),
        }
    }
}

impl Quartiles {
    pub(crate) fn from_values(mut values: Vec<f64>) -> Self {
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

/// Returns what a side used of something in all rounds.
fn used(run: &SideSamples, figure: &dyn Fn(&Sample) -> u64) -> f64 {
    match (run.samples.first(), run.samples.last()) {
        (Some(first), Some(last)) => figure(last) as f64 - figure(first) as f64,
        _ => 0.0,
    }
}

/// Returns the processor time of each round.
fn rounds(run: &SideSamples) -> impl Iterator<Item = f64> + '_ {
    run.samples
        .windows(2)
        .map(|pair| (pair[1].cpu_nanos - pair[0].cpu_nanos) as f64)
}

/// Rounds to two decimals, without a negative zero.
fn round_to_cents(value: f64) -> f64 {
    (value * 100.0).round() / 100.0 + 0.0
}

#[cfg(test)]
mod tests {
    use super::{Figures, Quartiles, SideSamples};
    use crate::arguments::Side;
    use crate::serve::Sample;
    use crate::services::telemetry::Counts;

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
    fn the_cost_of_tracing_is_what_the_untraced_side_did_not_use() {
        let run = SideSamples {
            side: Side::Official,
            samples: vec![sample(0, 0, 0, 0, 5), sample(30_000, 160, 130, 20, 14)],
        };
        let untraced = SideSamples {
            side: Side::Untraced,
            samples: vec![sample(0, 0, 0, 0, 0), sample(10_000, 100, 100, 0, 0)],
        };
        let figures = Figures::new(&run, &untraced, &[10], 5);
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
        let quartiles = Quartiles::from_values(vec![5.0, 1.0, 4.0, 2.0, 3.0]);
        assert_eq!(
            (quartiles.low, quartiles.median, quartiles.high),
            (2.0, 3.0, 4.0)
        );
    }
}
