//! Writes the measured part of `docs/benchmarks.md` and its picture.

mod chart;
mod peers;
mod table;

pub use peers::{PeerEntry, PeerFigures, Peers};
pub use table::{Table, count, figure, percent};

use crate::growth::Growth;
use crate::rows;
use crate::verdict::Report;
use anyhow::Context;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs;
use std::path::Path;

/// The figures of the rows.
pub const BUDGET: &str = "target/bench/budget.json";
/// The figures of the growth.
pub const GROWTH: &str = "target/bench/growth.json";
/// The figures of the peers.
pub const PEERS: &str = "target/bench/peers.json";
const PAGE: &str = "docs/benchmarks.md";
const PICTURE: &str = "docs/pictures/benchmarks/growth.svg";

/// Replaces each generated section of the page, and the picture. Run it at the root of the workspace.
#[allow(clippy::print_stdout)]
pub fn write() -> anyhow::Result<()> {
    let budget: Report = load(BUDGET)?;
    let growth: Growth = load(GROWTH)?;
    let peers: Peers = load(PEERS)?;
    let mut page = fs::read_to_string(PAGE).with_context(|| format!("cannot read {PAGE}"))?;
    for (name, text) in [
        ("machine", machines(&budget, &growth, &peers)),
        ("rows", rows(&budget)),
        ("peers", peers.overview()),
        ("ahead", peers.ahead_of_ours()),
    ] {
        page = replace_section(&page, name, &text)
            .with_context(|| format!("{PAGE} lacks the section `{name}`"))?;
    }
    save_text(PAGE, &page)?;
    save_text(PICTURE, &chart::draw(&growth))?;
    println!("{PAGE} and {PICTURE} are up to date");
    Ok(())
}

fn machines(budget: &Report, growth: &Growth, peers: &Peers) -> String {
    format!(
        "- Rows, {} rounds: {}\n- Growth, {} rounds: {}\n- Peers, median of {} processes: {}\n",
        budget.rounds,
        budget.machine,
        growth.rounds,
        growth.machine,
        peers.processes,
        peers.machine
    )
}

fn rows(budget: &Report) -> String {
    let headings = [
        "row", "peer", "ours", "#peer ns", "#ours ns", "#ratio", "budget", "#allocs", "verdict",
    ];
    let mut table = Table::new(headings);
    for verdict in &budget.rows {
        let Some(row) = rows::promise(&verdict.id) else {
            continue;
        };
        let allocations = verdict.allocations;
        table.row([
            format!("`{}`", row.id),
            row.peer.to_owned(),
            row.ours.to_owned(),
            figure(verdict.peer.median),
            figure(verdict.ours.median),
            format!("{:.2}", verdict.ratio),
            row.terms(),
            format!("{} / {}", count(allocations.peer), count(allocations.ours)),
            verdict.text(),
        ]);
    }
    table.to_string()
}

/// Replaces the text between `<!-- name -->` and `<!-- /name -->`.
fn replace_section(page: &str, name: &str, text: &str) -> Option<String> {
    let (start, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (before, rest) = page.split_once(&start)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{start}\n{text}\n{end}{after}"))
}

/// Reads figures from a JSON file.
pub fn load<T: DeserializeOwned>(path: &str) -> anyhow::Result<T> {
    let remedy = || format!("cannot read {path}: `cargo xtask bench --report` writes it");
    let text = fs::read(path).with_context(remedy)?;
    serde_json::from_slice(&text).with_context(remedy)
}

/// Writes figures to a JSON file.
pub fn save(path: &str, figures: &impl Serialize) -> anyhow::Result<()> {
    save_text(path, &serde_json::to_string_pretty(figures)?)
}

/// Writes a text file; creates its folder.
pub fn save_text(path: &str, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = Path::new(path).parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {path}"))
}

#[cfg(test)]
mod tests {
    use super::replace_section;

    #[test]
    fn only_the_named_section_is_replaced() {
        let page = "a\n<!-- one -->\nold\n<!-- /one -->\nb\n<!-- two -->\nkept\n<!-- /two -->\n";
        let expected =
            "a\n<!-- one -->\n\nnew\n<!-- /one -->\nb\n<!-- two -->\nkept\n<!-- /two -->\n";
        assert_eq!(
            replace_section(page, "one", "new").as_deref(),
            Some(expected)
        );
        assert_eq!(replace_section(page, "three", "new"), None);
    }
}
