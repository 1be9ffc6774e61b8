//! What the other programs wrote.

use anyhow::{Context, ensure};
use benches::growth::Growth;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::fs;
use std::path::Path;

/// Everything that is reported.
pub(crate) struct Figures {
    pub(crate) budget: Budget,
    pub(crate) growth: Growth,
    pub(crate) peers: Peers,
}

/// As `benches::Report` is written.
#[derive(Debug, Deserialize)]
pub(crate) struct Budget {
    pub(crate) rounds: usize,
    pub(crate) rows: Vec<Row>,
}

/// As `benches::Verdict` is written.
#[derive(Debug, Deserialize)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) peer: String,
    pub(crate) ours: String,
    pub(crate) peer_ns: f64,
    pub(crate) ours_ns: f64,
    pub(crate) ratio: f64,
    pub(crate) peer_allocs: f64,
    pub(crate) ours_allocs: f64,
    pub(crate) budget: String,
    pub(crate) met: bool,
    pub(crate) shortfall: Option<String>,
}

/// What the comparison with the peers found.
#[derive(Debug, Deserialize)]
pub(crate) struct Peers {
    /// Processes that each time is the median of.
    pub(crate) processes: usize,
    /// In the order of the works, and within each of the peers.
    pub(crate) entries: Vec<Entry>,
}

/// One peer at one work.
#[derive(Debug, Deserialize)]
pub(crate) struct Entry {
    pub(crate) peer: String,
    pub(crate) allocator: String,
    pub(crate) work: String,
    /// `None` if the peer cannot do the work.
    pub(crate) figures: Option<PeerFigures>,
    /// Why it cannot.
    pub(crate) obstacle: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct PeerFigures {
    pub(crate) caller_ns: f64,
    pub(crate) caller_p999_ns: f64,
    pub(crate) cpu_ns: f64,
    pub(crate) allocations: f64,
    pub(crate) allocated_bytes: f64,
    pub(crate) wire_bytes: f64,
    pub(crate) recorded: u64,
    pub(crate) lost: u64,
}

impl Figures {
    pub(crate) fn read(budget: &Path, growth: &Path, peers: &Path) -> anyhow::Result<Self> {
        let figures = Self {
            budget: read(budget, "cargo xtask budget")?,
            growth: read(growth, "cargo xtask bench --report")?,
            peers: read(peers, "cargo xtask bench --peers")?,
        };
        ensure!(
            figures
                .growth
                .series
                .iter()
                .all(|series| !series.points.is_empty()),
            "{} has a series without points: measure anew with `cargo xtask bench --report`",
            growth.display()
        );
        Ok(figures)
    }
}

impl Entry {
    /// Peer and allocator, as the tables name them.
    pub(crate) fn name(&self) -> String {
        match self.allocator.as_str() {
            "system" => self.peer.clone(),
            other => format!("{}, {other}", self.peer),
        }
    }
}

impl Peers {
    /// The entries of each work, in order.
    pub(crate) fn by_work(&self) -> impl Iterator<Item = &[Entry]> {
        self.entries.chunk_by(|one, next| one.work == next.work)
    }
}

fn read<T: DeserializeOwned>(path: &Path, command: &str) -> anyhow::Result<T> {
    let text = fs::read(path)
        .with_context(|| format!("cannot read {}: `{command}` writes it", path.display()))?;
    serde_json::from_slice(&text).with_context(|| {
        format!(
            "{} is of another version: write it anew with `{command}`",
            path.display()
        )
    })
}
