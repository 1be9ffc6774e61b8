//! What the demo found: the same for the terminal, the page and the file.

use crate::figures::{Figures, METHOD, Plain};
use crate::page;
use crate::trace::Row;
use anyhow::Context;
use serde::Serialize;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    /// How many requests each side answered, without those that warmed it up.
    pub(crate) requests: u64,
    pub(crate) rounds: u64,
    /// Where the spans went.
    pub(crate) destination: String,
    pub(crate) method: &'static str,
    pub(crate) plain: Plain,
    pub(crate) sides: Vec<Figures>,
    /// How many times the stock side's cost is that of zerospan, where both were measured and the difference is
    /// larger than the scatter.
    pub(crate) cpu_ratio: Option<f64>,
    /// Traces of the first side.
    pub(crate) traces: Vec<Vec<Row>>,
}

impl Report {
    pub(crate) fn new(
        requests: u64,
        rounds: u64,
        destination: String,
        plain: Plain,
        sides: Vec<Figures>,
        traces: Vec<Vec<Row>>,
    ) -> Self {
        let cpu_ratio = match &*sides {
            [ours, stock]
                if ours.cpu_ns_per_span.low > 0.0
                    && ours.cpu_ns_per_span.high < stock.cpu_ns_per_span.low =>
            {
                let ratio = stock.cpu_ns_per_span.median / ours.cpu_ns_per_span.median;
                Some((ratio * 10.0).round() / 10.0)
            }
            _ => None,
        };
        Self {
            requests,
            rounds,
            destination,
            method: METHOD,
            plain,
            sides,
            cpu_ratio,
            traces,
        }
    }

    /// Writes `report.json` and `report.html`; gives the path of the latter.
    pub(crate) fn write(&self, folder: &Path) -> anyhow::Result<PathBuf> {
        let write = || {
            fs::create_dir_all(folder)?;
            let mut json = serde_json::to_string_pretty(self)?;
            json.push('\n');
            fs::write(folder.join("report.json"), json)?;
            let path = folder.join("report.html");
            fs::write(&path, page::render(self)?)?;
            anyhow::Ok(path)
        };
        write().with_context(|| {
            format!(
                "cannot write the report into {}: name another folder with --out",
                folder.display()
            )
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::Report;
    use crate::arguments::Side;
    use crate::figures::{Figures, Plain, Quartiles, Split};
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
            allocations_per_span: Split {
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
        }
    }

    /// A report with something in every place.
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
            50,
            3,
            "elsewhere".to_owned(),
            Plain {
                allocations_per_request: 123.45,
                cpu_ns_per_request: Quartiles {
                    low: 1.0,
                    median: 2.0,
                    high: 3.0,
                },
            },
            vec![side(Side::Zerospan, 400.0), side(Side::Stock, 4_000.0)],
            vec![trace],
        )
    }

    #[test]
    fn a_ratio_is_given_only_where_the_sides_are_apart() {
        assert_eq!(sample().cpu_ratio, Some(10.0));
        let Report { sides, plain, .. } = sample();
        let [ours, _] = &*sides else {
            panic!("two sides")
        };
        let alike = vec![ours.clone(), ours.clone()];
        let report = Report::new(1, 1, String::new(), plain, alike, Vec::new());
        assert_eq!(report.cpu_ratio, None);
    }
}
