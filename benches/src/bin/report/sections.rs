//! The measured part of the page.

use crate::figures::{Budget, Figures, by_work, name, work_name};
use crate::machine::Machine;
use crate::pictures::DRAWN_WORK;
use crate::table::{Table, count, figure, grouped};
use benches::growth::{Grown, Growth, SIDES};
use benches::peers::{self, Allocator, Entry, Peer};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Writes everything; `picture` gives the picture of a name.
pub(crate) fn write(
    figures: &Figures,
    machine: &Machine,
    picture: impl Fn(&str) -> String,
) -> String {
    [
        place(machine, figures),
        rows(&figures.budget),
        limit(&figures.budget),
        growth(&figures.growth, &picture),
        peers(&figures.peers, &picture),
    ]
    .concat()
}

fn place(machine: &Machine, figures: &Figures) -> String {
    let mut table = Table::of(["measured", "here"]);
    let [one, five, fifteen] = machine.load;
    let rows = figures.budget.rounds;
    let growth = figures.growth.rounds;
    let processes = figures.peers.processes;
    table.row(["processor", &machine.processor]);
    table.row(["cores for this process", &machine.cores.to_string()]);
    table.row(["system", &machine.system]);
    table.row(["compiler", &machine.compiler]);
    table.row(["commit", &machine.commit]);
    table.row(["date", &machine.date]);
    table.row([
        "load over 1, 5 and 15 minutes",
        &format!("{one:.2}, {five:.2}, {fifteen:.2}"),
    ]);
    table.row([
        "effort",
        &format!(
            "{rows} rounds a row, {growth} rounds of growth, {processes} process{} for each time of a peer",
            if processes == 1 { "" } else { "es" }
        ),
    ]);
    format!(
        "## Machine and method\n\n{table}\n\
         A row times two sides over the same work in turns, in one process. Growth times three sides at all values of a series \
         in turns, in one process. A peer runs in a process of its own. What all of them send is decoded and compared before \
         anything is timed. Figures are medians; allocations are counted in other processes, by an allocator that counts. A \
         load above the measurement's own (about 1) means that the machine was shared: ratios bear that, nanoseconds do not.\n\n"
    )
}

fn rows(budget: &Budget) -> String {
    let mut table = Table::of([
        "row",
        "against",
        "ours",
        "#peer ns",
        "#ours ns",
        "#ratio",
        "#peer allocs",
        "#our allocs",
        "budget",
        "",
    ]);
    for row in &budget.rows {
        let verdict = match (row.met, &row.shortfall) {
            (true, _) => "met",
            (false, Some(_)) => "unmet",
            (false, None) => "missed",
        };
        table.row([
            format!("`{}`", row.id),
            row.peer.clone(),
            row.ours.clone(),
            figure(row.peer_ns),
            figure(row.ours_ns),
            format!("{:.2}", row.ratio),
            count(row.peer_allocs),
            count(row.ours_allocs),
            row.budget.clone(),
            verdict.to_owned(),
        ]);
    }
    let met = budget.rows.iter().filter(|row| row.met).count();
    format!(
        "## Every row\n\nThe ratio is the peer's time through ours; where the budget is a most, ours through the peer's. {met} of \
         {} rows are met. A row is unmet where the reason is known, and missed where it is not.\n\n{table}\n{}\n",
        budget.rows.len(),
        reasons(budget)
    )
}

/// Under which heading the reason for each unmet row stands.
fn reasons(budget: &Budget) -> String {
    let mut rows_of: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for row in budget.rows.iter().filter(|row| !row.met) {
        if let Some(reason) = &row.shortfall {
            rows_of
                .entry(reason)
                .or_default()
                .push(format!("`{}`", row.id));
        }
    }
    rows_of
        .into_iter()
        .map(|(reason, rows)| format!("- *{reason}*, below: {}\n", rows.join(", ")))
        .collect()
}

fn limit(budget: &Budget) -> String {
    let row = budget.rows.iter().find(|row| row.id == "limit.native");
    let Some(row) = row else {
        return String::new();
    };
    format!(
        "## Distance to the limit\n\n\
         Less than this a span cannot cost a tracer that stamps, names and sends it: two readings of the processor's counter, \
         three random numbers for its ids, and one copy of the bytes that are sent. That takes {} ns; a native span of 8 \
         attributes takes its caller {} ns, {:.1} times as long (`limit.native`, budget {}).\n\n",
        figure(row.peer_ns),
        figure(row.ours_ns),
        row.ratio,
        row.budget
    )
}

fn growth(growth: &Growth, picture: impl Fn(&str) -> String) -> String {
    let mut text = "## Growth\n\n\
        Processor time of all threads for a span, from its start to OTLP bytes in memory, and heap allocations for it. A line \
        joins the medians; a stroke across it goes from the lower to the upper quartile. What is neither flat nor linear is \
        explained below.\n\n"
        .to_owned();
    for grown in &growth.series {
        text += &format!(
            "### {}\n\nThe work: {}.\n\n{}\n{}\n",
            grown.title,
            grown.work,
            picture(&grown.id),
            points(grown)
        );
    }
    text
}

fn points(grown: &Grown) -> Table {
    let sides = SIDES.map(|side| [format!("#{side}, ns"), "#allocs".to_owned()]);
    let headings = [format!("#{}", grown.axis)];
    let mut table = Table::of(headings.into_iter().chain(sides.into_iter().flatten()));
    for point in &grown.points {
        let costs = point
            .costs
            .map(|cost| [figure(cost.median), count(cost.allocations)]);
        table.row(
            [grouped(point.at)]
                .into_iter()
                .chain(costs.into_iter().flatten()),
        );
    }
    table
}

fn peers(peers: &peers::Table, picture: impl Fn(&str) -> String) -> String {
    let mut text = "## What the peers cost\n\n\
        What a user could pick instead, on the same work; *The peers*, below, says who they are, how they are measured and what \
        that does not say. Each time is that of one span. A peer that sends over HTTP is compared with ours that does so.\n\n"
        .to_owned();
    text += &overview(peers);
    for entries in by_work(peers) {
        let Some(first) = entries.first() else {
            continue;
        };
        text += &format!("### At {}\n\n", first.work.title());
        if first.work == DRAWN_WORK {
            text += &picture("peers");
            text.push('\n');
        }
        text += &contenders(entries);
        text.push('\n');
    }
    text
}

/// The processor time of every peer on the system's allocator, at every work.
fn overview(peers: &peers::Table) -> String {
    let works: Vec<&[Entry]> = by_work(peers).collect();
    let headings = works.iter().filter_map(|entries| entries.first());
    let headings = headings.map(|entry| format!("#{}", work_name(entry.work)));
    let mut table = Table::of(["CPU ns".to_owned()].into_iter().chain(headings));
    let of_system = |entry: &&Entry| entry.allocator == Allocator::System;
    for entry in works.first().copied().unwrap_or_default() {
        if !of_system(&entry) {
            continue;
        }
        let times = works.iter().map(|entries| {
            let same = |other: &&Entry| other.peer == entry.peer && of_system(other);
            let figures = entries.iter().find(same).and_then(|entry| entry.figures);
            figures.map_or_else(|| "-".to_owned(), |figures| figure(figures.cpu_ns))
        });
        table.row([name(entry)].into_iter().chain(times));
    }
    format!("{table}\n")
}

/// The table of one work, and why some peers are not in it.
fn contenders(entries: &[Entry]) -> String {
    let mut table = Table::of([
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
    // Who ends in memory is compared with ours that does so, and who sends with ours that sends.
    let native = |sends| {
        let ours = match sends {
            true => Peer::ZerospanNativeHttp,
            false => Peer::ZerospanNative,
        };
        let entry = entries.iter().find(|entry| entry.peer == ours);
        entry
            .and_then(|entry| entry.figures.as_ref())
            .map_or(f64::NAN, |figures| figures.cpu_ns)
    };
    let mut obstacles: Vec<&str> = Vec::new();
    for entry in entries {
        match &entry.figures {
            Some(figures) => table.row([
                name(entry),
                figure(figures.caller_ns),
                figure(figures.caller_p999_ns),
                figure(figures.cpu_ns),
                format!("{:.1}", figures.cpu_ns / native(entry.peer.sends())),
                count(figures.allocations),
                count(figures.allocated_bytes),
                figure(figures.wire_bytes),
                lost(figures.lost, figures.recorded),
            ]),
            None => obstacles.extend(entry.obstacle.as_deref()),
        }
    }
    obstacles.dedup();
    let mut text = table.to_string();
    for obstacle in obstacles {
        // Writing to a string does not fail.
        let _ = write!(text, "\n- {obstacle}\n");
    }
    text
}

/// The spans that were lost: a share, rounded up, so that a single one shows.
fn lost(lost: u64, recorded: u64) -> String {
    let per_mille = (lost * 1_000).div_ceil(recorded.max(1));
    match lost {
        0 => "0".to_owned(),
        _ => format!("{}.{} %", per_mille / 10, per_mille % 10),
    }
}

#[cfg(test)]
mod tests {
    use super::{lost, overview};
    use benches::peers::{Allocator, Entry, Figures, Peer, Table, Work};

    fn entry(peer: Peer, work: Work, cpu_ns: Option<f64>) -> Entry {
        let figures = cpu_ns.map(|cpu_ns| Figures {
            caller_ns: 1.0,
            caller_p999_ns: 1.0,
            cpu_ns,
            allocations: 0.0,
            allocated_bytes: 0.0,
            wire_bytes: 0.0,
            recorded: 1,
            lost: 0,
        });
        Entry {
            peer,
            allocator: Allocator::System,
            work,
            figures,
            obstacle: None,
        }
    }

    #[test]
    fn every_peer_stands_once_with_a_dash_for_what_it_cannot_do() {
        let entries = vec![
            entry(Peer::ZerospanNative, Work::Root0, Some(50.0)),
            entry(Peer::Emit, Work::Root0, Some(2_000.0)),
            entry(Peer::ZerospanNative, Work::Events, Some(150.0)),
            entry(Peer::Emit, Work::Events, None),
        ];
        let text = overview(&Table {
            processes: 1,
            entries,
        });
        let rows: Vec<&str> = text.lines().collect();
        assert_eq!(rows[0], "| CPU ns | root0 | events |");
        assert_eq!(rows[2], "| zerospan-native | 50.0 | 150 |");
        assert_eq!(rows[3], "| emit (http) | 2,000 | - |");
        assert_eq!(rows.len(), 5);
    }

    #[test]
    fn a_single_lost_span_shows() {
        assert_eq!(lost(0, 82_000), "0");
        assert_eq!(lost(1, 82_000), "0.1 %");
        assert_eq!(lost(41_000, 82_000), "50.0 %");
    }
}
