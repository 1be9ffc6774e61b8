//! What the other programs wrote.

use anyhow::{Context, ensure};
use benches::growth::Growth;
use benches::peers::{Allocator, Entry, Table, Work};
use clap::ValueEnum;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::fs;
use std::path::Path;

/// Everything that is reported.
pub(crate) struct Figures {
    pub(crate) budget: Budget,
    pub(crate) growth: Growth,
    pub(crate) peers: Table,
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

/// Peer and allocator, as the tables name them.
pub(crate) fn name(entry: &Entry) -> String {
    let name = entry
        .peer
        .to_possible_value()
        .map_or_else(String::new, |value| value.get_name().to_owned());
    let name = match entry.peer.sends() {
        true => format!("{} (http)", name.trim_end_matches("-http")),
        false => name,
    };
    match entry.allocator {
        Allocator::System => name,
        Allocator::Mimalloc => format!("{name}, mimalloc"),
    }
}

/// A work, as the command line calls it.
pub(crate) fn work_name(work: Work) -> String {
    work.to_possible_value()
        .map_or_else(String::new, |value| value.get_name().to_owned())
}

/// The entries of each work, in order.
pub(crate) fn by_work(peers: &Table) -> impl Iterator<Item = &[Entry]> {
    peers.entries.chunk_by(|one, next| one.work == next.work)
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
