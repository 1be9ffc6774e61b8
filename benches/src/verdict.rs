//! The verdict on a row.

use crate::comparison::Budget::{self, AtLeast, AtMost};
use crate::comparison::Promise;
use crate::machine::Machine;
use crate::measure::Quartiles;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The allocations of both sides of every row, by its identifier.
pub type Counts = BTreeMap<String, Allocations>;

/// Heap allocations per operation, on all threads, after the warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Allocations {
    /// The peer's side.
    pub peer: f64,
    /// Our side.
    pub ours: f64,
}

/// A row that misses its budget for a documented reason: it fails only when it gets worse.
#[derive(Clone, Copy, Debug)]
pub struct KnownShortfall {
    /// The row's identifier.
    pub id: &'static str,
    /// The bound that must hold in place of the budget's, on a busy machine as well.
    pub bound: Budget,
    /// The decision in `docs/adr` that contains the reason.
    pub decision: &'static str,
}

/// Every row that misses its budget. Delete a row that reaches it.
pub const KNOWN_SHORTFALLS: &[KnownShortfall] = &[
    shortfall("scale.threads", AtLeast(0.8), "0009"),
    shortfall("pool.span", AtLeast(4.3), "0008"),
    shortfall("trace.otel", AtLeast(7.0), "0009"),
    shortfall("trace.native", AtLeast(9.0), "0009"),
    shortfall("trace.native_each", AtLeast(9.0), "0009"),
    shortfall("trace.nested", AtLeast(3.5), "0009"),
    shortfall("trace.nested_native", AtLeast(6.5), "0009"),
    shortfall("trace.unsampled", AtLeast(4.0), "0009"),
    shortfall("trace.producer", AtLeast(1.5), "0009"),
    shortfall("trace.producer_native", AtLeast(2.4), "0009"),
    shortfall("limit.native", AtMost(6.0), "0009"),
    shortfall("logs.appender", AtLeast(5.0), "0015"),
    shortfall("logs.appender_eight", AtLeast(6.0), "0015"),
    shortfall("logs.caller", AtLeast(1.6), "0015"),
    shortfall("logs.disabled", AtMost(1.3), "0015"),
    shortfall("service.cpu", AtLeast(2.5), "0014"),
    shortfall("service.request", AtMost(1.3), "0014"),
    shortfall("service.tracing", AtLeast(2.3), "0014"),
    shortfall("limit.tracing", AtMost(2.5), "0012"),
    shortfall("tracing.caller", AtLeast(3.6), "0012"),
    shortfall("tracing.nested", AtLeast(6.5), "0012"),
];

const fn shortfall(id: &'static str, bound: Budget, decision: &'static str) -> KnownShortfall {
    KnownShortfall {
        id,
        bound,
        decision,
    }
}

/// The verdict on one row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// As [`Promise::id`].
    pub id: String,
    /// The peer's times.
    pub peer: Quartiles,
    /// Our times.
    pub ours: Quartiles,
    /// The ratio that is compared with the budget.
    pub ratio: f64,
    /// Allocations of both sides.
    pub allocations: Allocations,
    /// As [`Promise::terms`].
    pub budget: String,
    /// `true` if ratio and allocations are within the budget.
    pub met: bool,
    /// The decision with the reason, for a known shortfall that did not get worse.
    pub shortfall: Option<String>,
}

impl Verdict {
    /// Compares the measurements of a row with what it promises.
    pub fn new(row: &Promise, [peer, ours]: [Quartiles; 2], allocations: Allocations) -> Self {
        let ratio = row.budget.ratio(peer.median, ours.median);
        let allocations_met = row
            .allocations
            .is_none_or(|max| allocations.ours <= max + f64::EPSILON);
        let is_tolerated = |known: &&KnownShortfall| {
            known.id == row.id && allocations_met && known.bound.is_met_by(ratio)
        };
        let known = KNOWN_SHORTFALLS.iter().find(is_tolerated);
        Self {
            id: row.id.to_owned(),
            peer,
            ours,
            ratio,
            allocations,
            budget: row.terms(),
            met: row.budget.is_met_by(ratio) && allocations_met,
            shortfall: known.map(|known| known.decision.to_owned()),
        }
    }

    /// Returns `true` if the row misses its budget without a documented reason.
    pub fn is_missed(&self) -> bool {
        !self.met && self.shortfall.is_none()
    }

    /// Returns the verdict in a few words.
    pub fn text(&self) -> String {
        match (self.met, &self.shortfall) {
            (true, _) => "met".to_owned(),
            (false, Some(decision)) => format!("unmet, {decision}"),
            (false, None) => "missed".to_owned(),
        }
    }

    /// The heading of [`line`](Self::line).
    pub const HEADING: &str = "row                       peer ns         quartiles    ours ns       quartiles    \
        ratio    allocs peer, ours  budget             verdict";

    /// Returns the line of the printed table.
    pub fn line(&self) -> String {
        let range = |side: Quartiles| format!("{:.1}-{:.1}", side.lower, side.upper);
        format!(
            "{:<21} {:>11.1} {:>17} {:>10.1} {:>15} {:>8.2} {:>10.2} {:>9.2}  {:<18} {}",
            self.id,
            self.peer.median,
            range(self.peer),
            self.ours.median,
            range(self.ours),
            self.ratio,
            self.allocations.peer,
            self.allocations.ours,
            self.budget,
            self.text(),
        )
    }
}

/// The contents of `target/bench/budget.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The measuring machine.
    pub machine: Machine,
    /// Number of rounds.
    pub rounds: usize,
    /// One verdict for each measured row.
    pub rows: Vec<Verdict>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows;

    fn row(id: &'static str, budget: Budget, allocations: Option<f64>) -> Promise {
        Promise {
            id,
            peer: "peer",
            ours: "ours",
            budget,
            allocations,
        }
    }

    fn verdict(row: &Promise, peer_ns: f64, ours_ns: f64, ours_allocs: f64) -> Verdict {
        let quartiles = |ns| Quartiles {
            lower: ns,
            median: ns,
            upper: ns,
        };
        let allocations = Allocations {
            peer: 9.0,
            ours: ours_allocs,
        };
        Verdict::new(row, [quartiles(peer_ns), quartiles(ours_ns)], allocations)
    }

    #[test]
    fn a_row_is_met_only_within_time_and_allocations() {
        let met = |budget, max, peer_ns, ours_ns, allocs| {
            verdict(&row("area.name", budget, max), peer_ns, ours_ns, allocs).met
        };
        assert!(met(AtLeast(10.0), Some(0.0), 100.0, 10.0, 0.0));
        assert!(!met(AtLeast(10.1), Some(0.0), 100.0, 10.0, 0.0));
        assert!(!met(AtLeast(10.0), Some(0.0), 100.0, 10.0, 0.001));
        assert!(met(AtLeast(10.0), None, 100.0, 10.0, 3.0));
        assert!(met(AtMost(1.2), None, 10.0, 12.0, 0.0));
        assert!(!met(AtMost(1.2), None, 10.0, 12.1, 0.0));
        assert!(!met(Budget::Allocations, Some(0.0), 100.0, 10.0, 1.0));
    }

    #[test]
    fn a_known_shortfall_is_missed_only_when_it_gets_worse() {
        let native = row("trace.native", AtLeast(35.0), Some(0.0));
        let known = verdict(&native, 100.0, 10.0, 0.0);
        assert!(!known.met && !known.is_missed());
        assert!(known.text().contains("0009"));
        assert!(verdict(&native, 80.0, 10.0, 0.0).is_missed());
        assert!(verdict(&native, 100.0, 10.0, 1.0).is_missed());
        assert!(verdict(&native, 100.0, 1.0, 0.0).met);
        let limit = row("limit.native", AtMost(2.5), None);
        assert!(!verdict(&limit, 10.0, 50.0, 0.0).is_missed());
        assert!(verdict(&limit, 10.0, 70.0, 0.0).is_missed());
    }

    #[test]
    fn each_known_shortfall_is_a_row_that_its_decision_names() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/adr");
        for known in KNOWN_SHORTFALLS {
            assert!(rows::promise(known.id).is_some(), "no row {}", known.id);
            let page = std::fs::read_dir(folder).unwrap().find_map(|entry| {
                let path = entry.unwrap().path();
                let name = path.file_name()?.to_string_lossy().into_owned();
                let is_page = name.starts_with(known.decision);
                is_page.then(|| std::fs::read_to_string(path).unwrap())
            });
            let page = page.unwrap_or_else(|| panic!("no decision {}", known.decision));
            assert!(
                page.contains(&format!("`{}`", known.id)),
                "decision {} does not name `{}`",
                known.decision,
                known.id
            );
        }
    }
}
