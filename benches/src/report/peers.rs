use super::{Table, count, figure, percent};
use crate::machine::Machine;
use serde::{Deserialize, Serialize};

/// The contents of `target/bench/peers.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Peers {
    /// The measuring machine.
    pub machine: Machine,
    /// Number of processes whose median each time is.
    pub processes: usize,
    /// By workload; within each in the order of the peers.
    pub entries: Vec<PeerEntry>,
}

/// One peer at one workload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PeerEntry {
    /// The peer's name, with `(http)` if it sends to a receiver in another process.
    pub peer: String,
    /// The peer's side to compare with: the name of ours that ends at the same place.
    pub reference: String,
    /// `system` or `mimalloc`.
    pub allocator: String,
    /// The workload's name.
    pub workload: String,
    /// The workload in words.
    pub title: String,
    /// The figures; `None` if the peer cannot do the work.
    pub figures: Option<PeerFigures>,
    /// The reason, if the peer cannot do the work.
    pub obstacle: Option<String>,
}

/// The figures of a peer at a workload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PeerFigures {
    /// Processor time of the recording threads per started span; nanoseconds.
    pub caller_ns: f64,
    /// 99.9th percentile of the elapsed time of a call, measured in separate runs; nanoseconds.
    pub caller_p999_ns: f64,
    /// Processor time of all threads per span that is delivered, or dropped by the sampler; nanoseconds.
    pub cpu_ns: f64,
    /// Heap allocations of all threads per started span.
    pub allocations: f64,
    /// Bytes of those allocations; a reallocation counts its whole new size.
    pub allocated_bytes: f64,
    /// Bytes of a span in its request, including its share of the envelope.
    pub wire_bytes: f64,
    /// Started spans, in all processes.
    pub recorded: u64,
    /// Those that were not delivered.
    pub lost: u64,
}

impl PeerEntry {
    /// Returns the name with the allocator, if it is not the system's.
    pub fn name(&self) -> String {
        match self.allocator.as_str() {
            "system" => self.peer.clone(),
            allocator => format!("{}, {allocator}", self.peer),
        }
    }
}

impl Peers {
    /// Returns the entries of each workload.
    pub fn by_workload(&self) -> impl Iterator<Item = &[PeerEntry]> {
        self.entries.chunk_by(|a, b| a.workload == b.workload)
    }

    /// Returns one table per workload with all figures.
    pub fn tables(&self) -> String {
        let tables = self.by_workload().map(|entries| {
            let title = &entries[0].title;
            format!("## {title}\n\n{}\n", all_figures(entries))
        });
        tables.collect()
    }

    /// Returns the processor time of every peer at every workload, on the system's allocator.
    pub(super) fn overview(&self) -> String {
        let workloads: Vec<&[PeerEntry]> = self.by_workload().collect();
        let headings = workloads.iter().map(|of| format!("#{}", of[0].workload));
        let mut table = Table::new(["CPU ns".to_owned()].into_iter().chain(headings));
        let first = workloads.first().copied().unwrap_or_default();
        for peer in first.iter().filter(|entry| entry.allocator == "system") {
            let times = workloads.iter().map(|entries| {
                let entry = entries.iter().find(|entry| entry.name() == peer.name());
                let figures = entry.and_then(|entry| entry.figures);
                figures.map_or_else(|| "–".to_owned(), |figures| figure(figures.cpu_ns))
            });
            table.row([peer.peer.clone()].into_iter().chain(times));
        }
        table.to_string()
    }

    /// Lists every figure in which a peer is better than our native calls that end at the same place.
    pub(super) fn ahead_of_ours(&self) -> String {
        let mut table = Table::new(["workload", "figure", "peer", "#peer's", "#ours"]);
        let is_peer =
            |entry: &&PeerEntry| !entry.peer.starts_with("zerospan") && entry.allocator == "system";
        for entries in self.by_workload() {
            for entry in entries.iter().filter(is_peer) {
                let ours = entries.iter().find(|ours| ours.peer == entry.reference);
                let (Some(theirs), Some(ours)) =
                    (entry.figures, ours.and_then(|ours| ours.figures))
                else {
                    continue;
                };
                for (name, value) in COMPARED {
                    let (theirs, ours) = (value(&theirs), value(&ours));
                    if theirs < ours {
                        let start = [&entry.workload, name, &entry.peer].map(str::to_owned);
                        table.row(start.into_iter().chain([figure(theirs), figure(ours)]));
                    }
                }
            }
        }
        table.to_string()
    }
}

type Value = fn(&PeerFigures) -> f64;

/// The figures that matter to a user: less is better.
const COMPARED: [(&str, Value); 4] = [
    ("caller ns", |figures| figures.caller_ns),
    ("p99.9 ns", |figures| figures.caller_p999_ns),
    ("CPU ns", |figures| figures.cpu_ns),
    ("lost %", |figures| {
        figures.lost as f64 / figures.recorded.max(1) as f64 * 100.0
    }),
];

fn all_figures(entries: &[PeerEntry]) -> String {
    let mut table = Table::new([
        "peer",
        "#caller ns",
        "#p99.9 ns",
        "#CPU ns",
        "#times ours",
        "#allocations",
        "#heap bytes",
        "#wire bytes",
        "#lost",
    ]);
    let mut obstacles = String::new();
    for entry in entries {
        let Some(figures) = &entry.figures else {
            let obstacle = entry.obstacle.as_deref().unwrap_or("not measured");
            obstacles += &format!("\n{}: {obstacle}\n", entry.name());
            continue;
        };
        let reference = entries.iter().find(|other| other.peer == entry.reference);
        let ours = reference.and_then(|reference| reference.figures);
        let ours_ns = ours.map_or(f64::NAN, |ours| ours.cpu_ns);
        table.row([
            entry.name(),
            figure(figures.caller_ns),
            figure(figures.caller_p999_ns),
            figure(figures.cpu_ns),
            format!("{:.1}", figures.cpu_ns / ours_ns),
            count(figures.allocations),
            count(figures.allocated_bytes),
            figure(figures.wire_bytes),
            percent(figures.lost, figures.recorded),
        ]);
    }
    format!("{table}{obstacles}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(peer: &str, workload: &str, cpu_ns: Option<f64>) -> PeerEntry {
        PeerEntry {
            peer: peer.to_owned(),
            reference: "ours".to_owned(),
            allocator: "system".to_owned(),
            workload: workload.to_owned(),
            title: workload.to_owned(),
            figures: cpu_ns.map(|cpu_ns| PeerFigures {
                cpu_ns,
                ..PeerFigures::default()
            }),
            obstacle: cpu_ns.is_none().then(|| "it cannot".to_owned()),
        }
    }

    #[test]
    fn every_peer_has_one_line_and_its_better_figures_are_listed() {
        let peers = Peers {
            machine: Machine::current(),
            processes: 1,
            entries: vec![
                entry("ours", "root0", Some(50.0)),
                entry("emit", "root0", Some(2_000.0)),
                entry("ours", "events", Some(150.0)),
                entry("emit", "events", None),
                entry("ours", "tree", Some(150.0)),
                entry("emit", "tree", Some(149.0)),
            ],
        };
        let text = peers.overview();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "| CPU ns | root0 | events | tree |");
        assert_eq!(lines[2], "| ours | 50.0 | 150 | 150 |");
        assert_eq!(lines[3..], ["| emit | 2,000 | – | 149 |"]);
        assert!(peers.tables().contains("emit: it cannot"));
        let better = peers.ahead_of_ours();
        let lines: Vec<&str> = better.lines().collect();
        assert_eq!(lines[2..], ["| tree | CPU ns | emit | 149 | 150 |"]);
    }
}
