//! The result of the demo, for the terminal, the page and the file.

use crate::arguments::Instrumentation;
use crate::figures::{Baseline, Figures, method};
use crate::trace::Row;
use serde::Serialize;

/// The rows of the table of figures: the label, the field of a side in the report, and the decimals to show.
pub(crate) const TABLE: [(&str, &str, usize); 11] = [
    ("spans", "spans", 0),
    ("  delivered", "delivered", 0),
    ("  dropped", "dropped", 0),
    ("allocations a span", "allocations_per_span/total", 2),
    ("  recording", "allocations_per_span/recording", 2),
    ("  headers", "allocations_per_span/headers", 2),
    ("  exporting", "allocations_per_span/exporting", 2),
    ("bytes a span", "bytes_per_span", 0),
    ("CPU ns a span", "cpu_ns_per_span/median", 0),
    ("  lower quartile", "cpu_ns_per_span/low", 0),
    ("  upper quartile", "cpu_ns_per_span/high", 0),
];

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) instrumentation: Instrumentation,
    /// The number of requests to each side, without the warm-up.
    pub(crate) requests: u64,
    pub(crate) rounds: u64,
    /// The receiver of the spans.
    pub(crate) destination: String,
    pub(crate) method: String,
    pub(crate) baseline: Baseline,
    pub(crate) sides: Vec<Figures>,
    /// The official side's processor time per span, divided by zerospan's, if the quartiles of both do not overlap.
    pub(crate) cpu_ratio: Option<f64>,
    /// Traces of the first side.
    pub(crate) traces: Vec<Vec<Row>>,
}

impl Report {
    /// Returns how the services are instrumented, after "Three HTTP services ".
    pub(crate) fn services(&self) -> &'static str {
        match self.instrumentation {
            Instrumentation::Tracing => "with axum, TraceLayer and #[instrument]",
            Instrumentation::Api => "with axum, traced through OpenTelemetry's API,",
        }
    }

    /// Returns what the side `official` consists of.
    pub(crate) fn official(&self) -> &'static str {
        match self.instrumentation {
            Instrumentation::Tracing => "tracing-opentelemetry and the official SDK",
            Instrumentation::Api => "the official SDK",
        }
    }

    pub(crate) fn new(
        instrumentation: Instrumentation,
        requests: u64,
        rounds: u64,
        destination: String,
        baseline: Baseline,
        sides: Vec<Figures>,
        traces: Vec<Vec<Row>>,
    ) -> Self {
        let cpu_ratio = match &*sides {
            [ours, official]
                if ours.cpu_ns_per_span.low > 0.0
                    && ours.cpu_ns_per_span.high < official.cpu_ns_per_span.low =>
            {
                let ratio = official.cpu_ns_per_span.median / ours.cpu_ns_per_span.median;
                Some((ratio * 10.0).round() / 10.0)
            }
            _ => None,
        };
        Self {
            instrumentation,
            requests,
            rounds,
            destination,
            method: method(instrumentation),
            baseline,
            sides,
            cpu_ratio,
            traces,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::Report;
    use crate::arguments::{Instrumentation, Side};
    use crate::figures::{AllocationSplit, Baseline, Figures, Quartiles};
    use crate::logs::LogRow;
    use crate::trace::Row;
    use std::collections::BTreeMap;

    fn side(side: Side, cpu: f64) -> Figures {
        Figures {
            side,
            name: side.name(),
            spans: 100,
            delivered: 98,
            dropped: 2,
            dropped_by_cause: BTreeMap::from([("the <queue> is full".to_owned(), 2)]),
            allocations_per_span: AllocationSplit {
                total: cpu / 100.0,
                recording: 0.25,
                headers: 0.5,
                exporting: 0.0,
            },
            bytes_per_span: 512.0,
            cpu_ns_per_span: Quartiles {
                low: cpu - 10.0,
                median: cpu,
                high: cpu + 10.0,
            },
        }
    }

    fn row(service: &str, name: &str, depth: usize, start_us: f64, duration_us: f64) -> Row {
        Row {
            service: service.to_owned(),
            name: name.to_owned(),
            depth,
            start_us,
            duration_us,
            error: (depth == 2).then(|| "it <failed>".to_owned()),
            attributes: vec![("shop.name".to_owned(), "a \"lamp\" & more".to_owned())],
            logs: vec![LogRow {
                time_us: start_us + 0.5,
                severity: "INFO".to_owned(),
                text: "logged <here>, in a sentence that is longer than the name of a span"
                    .to_owned(),
                attributes: vec![("shop.log".to_owned(), "<value>".to_owned())],
            }],
        }
    }

    /// Returns a report with something in every field.
    pub(crate) fn sample() -> Report {
        let trace = vec![
            row("storefront", "GET /offers/{id}", 0, 0.0, 1_234.5),
            row("storefront", "GET catalog", 1, 20.25, 600.0),
            row(
                "catalog",
                "a name that is longer than any terminal is wide",
                2,
                1_200.0,
                0.01,
            ),
        ];
        Report::new(
            Instrumentation::Tracing,
            50,
            3,
            "elsewhere".to_owned(),
            Baseline {
                allocations_per_request: 123.45,
                cpu_ns_per_request: Quartiles {
                    low: 1.0,
                    median: 2.0,
                    high: 3.0,
                },
            },
            vec![side(Side::Zerospan, 400.0), side(Side::Official, 4_000.0)],
            vec![trace],
        )
    }

    #[test]
    fn the_ratio_is_only_reported_if_the_quartiles_do_not_overlap() {
        assert_eq!(sample().cpu_ratio, Some(10.0));
        let Report {
            sides, baseline, ..
        } = sample();
        let [ours, _] = &*sides else {
            panic!("two sides")
        };
        let alike = vec![ours.clone(), ours.clone()];
        let report = Report::new(
            Instrumentation::Api,
            1,
            1,
            String::new(),
            baseline,
            alike,
            Vec::new(),
        );
        assert_eq!(report.cpu_ratio, None);
    }
}
