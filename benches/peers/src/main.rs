//! Compares the peers; each figure comes from a separate process.

use anyhow::{Context, bail};
use benches::machine::Machine;
use benches::report::{self, PeerEntry, PeerFigures, Peers};
use clap::{Parser, ValueEnum};
use peers::{Peer, Workload, measure, receiver};
use std::process::{Command, ExitCode};
use std::time::Instant;

/// Compare with what a user could pick instead.
#[derive(Debug, Parser)]
enum Arguments {
    /// Measure every peer at every workload; print all tables.
    Compare {
        /// One process per time in place of five.
        #[arg(long)]
        quick: bool,
    },
    /// Time one peer at one workload; print JSON.
    Time(measure::Task),
    /// Receive spans over HTTP from a peer.
    Receive,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse() {
        Arguments::Compare { quick } => compare(if quick { 1 } else { 5 }),
        Arguments::Time(task) => task.time(),
        Arguments::Receive => receiver::receive(),
    };
    // Without the backtrace that `Debug` would add.
    outcome.map_or_else(
        |error| {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

/// Measures each peer in `processes` processes per workload, which take turns.
fn compare(processes: usize) -> anyhow::Result<()> {
    let start = Instant::now();
    let mut entries = Vec::new();
    for workload in Workload::value_variants() {
        eprintln!("{:>4} s: {}", start.elapsed().as_secs(), name(workload));
        entries.extend(measure_workload(*workload, processes)?);
    }
    let peers = Peers {
        machine: Machine::current(),
        processes,
        entries,
    };
    let tables = peers.tables();
    println!("{tables}");
    report::save(report::PEERS, &peers)?;
    report::save_text("target/bench/peers.md", &tables)?;
    println!(
        "{} s; figures in {} and target/bench/peers.md",
        start.elapsed().as_secs(),
        report::PEERS
    );
    Ok(())
}

fn measure_workload(workload: Workload, processes: usize) -> anyhow::Result<Vec<PeerEntry>> {
    let mut entries = Vec::new();
    for &peer in Peer::value_variants() {
        // Ours do not allocate per span.
        let is_ours = name(&peer).starts_with("zerospan");
        let allocators: &[&str] = match peer.obstacle(workload) {
            None if !is_ours => &["system", "mimalloc"],
            _ => &["system"],
        };
        for allocator in allocators {
            let entry = PeerEntry {
                peer: name(&peer).replace("-http", " (http)"),
                reference: name(&peer.reference()).replace("-http", " (http)"),
                allocator: (*allocator).to_owned(),
                workload: name(&workload),
                title: workload.title().to_owned(),
                figures: None,
                obstacle: peer.obstacle(workload).map(str::to_owned),
            };
            entries.push((peer, entry, Vec::new()));
        }
    }
    let is_able = |entry: &PeerEntry| entry.obstacle.is_none();
    for _ in 0..processes {
        for (peer, entry, times) in entries.iter_mut().filter(|(_, entry, _)| is_able(entry)) {
            times.push(match entry.allocator.as_str() {
                "system" => run("peers", &["time"], *peer, workload)?,
                program => run(program, &[], *peer, workload)?,
            });
        }
    }
    for (peer, entry, times) in entries.iter_mut().filter(|(_, entry, _)| is_able(entry)) {
        let counts = run("counting", &[], *peer, workload)?;
        entry.figures = Some(median(times, counts));
    }
    Ok(entries.into_iter().map(|(_, entry, _)| entry).collect())
}

/// Returns the name of the command line.
fn name(value: &impl ValueEnum) -> String {
    let value = value.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}

/// Runs a program beside this one for `peer` at `workload`, and parses its output.
fn run(
    program: &str,
    arguments: &[&str],
    peer: Peer,
    workload: Workload,
) -> anyhow::Result<PeerFigures> {
    let program = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    let mut command = Command::new(std::env::current_exe()?.with_file_name(program));
    command.args(arguments).args([name(&peer), name(&workload)]);
    let output = command
        .output()
        .with_context(|| format!("cannot run {command:?}: run `cargo xtask bench --peers`"))?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        bail!("{command:?} ended with {}: {}", output.status, error.trim());
    }
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("{command:?} did not print figures"))
}

/// Returns the median of each time, the sum of the spans, and the allocations of `counts`.
fn median(times: &[PeerFigures], counts: PeerFigures) -> PeerFigures {
    let of = |figure: fn(&PeerFigures) -> f64| measure::median(times.iter().map(figure).collect());
    PeerFigures {
        caller_ns: of(|times| times.caller_ns),
        caller_p999_ns: of(|times| times.caller_p999_ns),
        cpu_ns: of(|times| times.cpu_ns),
        wire_bytes: of(|times| times.wire_bytes),
        recorded: times.iter().map(|times| times.recorded).sum(),
        lost: times.iter().map(|times| times.lost).sum(),
        ..counts
    }
}
