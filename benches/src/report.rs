use crate::{Budget, Row, Shortfall, Timing};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The allocations of both sides of every row, as the program `allocations` prints them: by the row's identifier.
pub type Counts = BTreeMap<String, Allocated>;

/// Heap allocations per operation, of all threads, in steady state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Allocated {
    /// The peer's side.
    pub peer: f64,
    /// Our side.
    pub ours: f64,
}

/// The verdict on one row.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    /// The row's identifier.
    pub id: &'static str,
    /// What the peer's side is.
    pub peer: &'static str,
    /// What our side is.
    pub ours: &'static str,
    /// The peer's median, nanoseconds per operation.
    pub peer_ns: f64,
    /// The peer's lower and upper quartile.
    pub peer_quartiles: [f64; 2],
    /// Our median, nanoseconds per operation.
    pub ours_ns: f64,
    /// Our lower and upper quartile.
    pub ours_quartiles: [f64; 2],
    /// The figure that the budget is held against.
    pub ratio: f64,
    /// The peer's heap allocations per operation.
    pub peer_allocs: f64,
    /// Our heap allocations per operation.
    pub ours_allocs: f64,
    /// The budget, as text.
    pub budget: String,
    /// Whether ratio and allocations are within it.
    pub met: bool,
    /// Where the reason stands, for a row that is known to fall short and is no worse than that.
    pub shortfall: Option<&'static str>,
}

impl Verdict {
    /// Holds what was measured of `row` against its budget.
    pub fn on(row: &Row, timing: Timing, allocated: Allocated) -> Self {
        let ratio = row.budget.figure(timing.peer.median, timing.ours.median);
        let frugal = row
            .allocations
            .is_none_or(|most| allocated.ours <= most + f64::EPSILON);
        let budget = match (row.budget, row.allocations) {
            (Budget::Allocations, Some(most)) => format!("{most} allocs"),
            (budget, Some(most)) => format!("{budget}, {most} allocs"),
            (budget, None) => budget.to_string(),
        };
        Self {
            id: row.id,
            peer: row.peer,
            ours: row.ours,
            peer_ns: timing.peer.median,
            peer_quartiles: [timing.peer.lower, timing.peer.upper],
            ours_ns: timing.ours.median,
            ours_quartiles: [timing.ours.lower, timing.ours.upper],
            ratio,
            peer_allocs: allocated.peer,
            ours_allocs: allocated.ours,
            budget,
            met: row.budget.is_met_by(ratio) && frugal,
            shortfall: Shortfall::of(row.id)
                .filter(|shortfall| {
                    row.budget.relaxed_to(shortfall.floor).is_met_by(ratio) && frugal
                })
                .map(|shortfall| shortfall.reason),
        }
    }

    /// Whether the row is neither within its budget nor known to fall short of it by as much.
    pub fn is_missed(&self) -> bool {
        !self.met && self.shortfall.is_none()
    }

    /// The line of the printed table.
    pub fn line(&self) -> String {
        format!(
            "{:<18} {:>11.1} {:>17} {:>10.1} {:>15} {:>8.2} {:>9.2} {:>9.2}  {:<18} {}",
            self.id,
            self.peer_ns,
            range(self.peer_quartiles),
            self.ours_ns,
            range(self.ours_quartiles),
            self.ratio,
            self.peer_allocs,
            self.ours_allocs,
            self.budget,
            match (self.met, self.shortfall) {
                (true, _) => "met".to_owned(),
                (false, Some(reason)) => format!("UNMET: {reason} (docs/benchmarks.md)"),
                (false, None) => "MISSED".to_owned(),
            },
        )
    }

    /// The heading above the lines.
    pub fn heading() -> String {
        format!(
            "{:<18} {:>11} {:>17} {:>10} {:>15} {:>8} {:>9} {:>9}  {:<18} {}",
            "row",
            "peer ns",
            "quartiles",
            "ours ns",
            "quartiles",
            "ratio",
            "peer allo",
            "ours allo",
            "budget",
            "verdict",
        )
    }
}

fn range([lower, upper]: [f64; 2]) -> String {
    format!("{lower:.1}-{upper:.1}")
}

/// What is written to `target/budget.json`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// How many rounds the figures are the medians of.
    pub rounds: usize,
    /// One verdict for each row that was measured.
    pub rows: Vec<Verdict>,
}

impl Report {
    /// The rows that miss their budget for no reason that is written down.
    pub fn missed(&self) -> Vec<&'static str> {
        self.rows
            .iter()
            .filter(|verdict| verdict.is_missed())
            .map(|verdict| verdict.id)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Contest, Quartiles};

    fn row(budget: Budget, allocations: Option<f64>) -> Row {
        Row {
            id: "area.name",
            peer: "peer",
            ours: "ours",
            budget,
            allocations,
            prepare: || Contest::new(1, || (), || (), |(), ()| Ok(())),
        }
    }

    fn timing(peer: f64, ours: f64) -> Timing {
        let flat = |ns| Quartiles {
            lower: ns,
            median: ns,
            upper: ns,
        };
        Timing {
            peer: flat(peer),
            ours: flat(ours),
        }
    }

    fn met(budget: Budget, most: Option<f64>, timing: Timing, ours: f64) -> bool {
        Verdict::on(&row(budget, most), timing, Allocated { peer: 9.0, ours }).met
    }

    #[test]
    fn a_row_is_met_only_within_time_and_allocations() {
        let ten_times = timing(100.0, 10.0);
        assert!(met(Budget::AtLeast(10.0), Some(0.0), ten_times, 0.0));
        assert!(!met(Budget::AtLeast(10.1), Some(0.0), ten_times, 0.0));
        assert!(!met(Budget::AtLeast(10.0), Some(0.0), ten_times, 0.001));
        assert!(met(Budget::AtLeast(10.0), None, ten_times, 3.0));
        assert!(met(Budget::AtMost(1.2), None, timing(10.0, 12.0), 0.0));
        assert!(!met(Budget::AtMost(1.2), None, timing(10.0, 12.1), 0.0));
        assert!(!met(Budget::Allocations, Some(0.0), ten_times, 1.0));
    }

    #[test]
    fn a_known_shortfall_is_no_miss_until_it_gets_worse() {
        let row = Row {
            id: "seed.pool",
            ..row(Budget::AtLeast(20.8), Some(0.0))
        };
        let verdict = |ours_ns, ours_allocs| {
            let allocated = Allocated {
                peer: 4.0,
                ours: ours_allocs,
            };
            Verdict::on(&row, timing(40.0, ours_ns), allocated)
        };
        let known = verdict(10.0, 0.0);
        assert!(!known.met && !known.is_missed());
        assert!(known.line().contains("UNMET: "));
        assert!(verdict(20.0, 0.0).is_missed());
        assert!(verdict(10.0, 1.0).is_missed());
        assert!(verdict(1.0, 0.0).met);
    }

    #[test]
    fn a_known_shortfall_of_a_most_is_no_miss_until_it_exceeds_its_bound() {
        let row = Row {
            id: "limit.native",
            ..row(Budget::AtMost(1.6), None)
        };
        let missed = |ours| Verdict::on(&row, timing(10.0, ours), Allocated::default()).is_missed();
        assert!(!missed(15.0));
        assert!(!missed(70.0));
        assert!(missed(130.0));
    }

    #[test]
    fn missed_rows_are_named() {
        let verdict = Verdict::on(
            &row(Budget::AtLeast(11.0), None),
            timing(100.0, 10.0),
            Allocated::default(),
        );
        assert!(verdict.line().ends_with("MISSED"));
        let report = Report {
            rounds: 1,
            rows: vec![verdict],
        };
        assert_eq!(report.missed(), ["area.name"]);
    }
}
