//! Compares the peers; each figure comes from a separate process.

use anyhow::{Context, bail};
use benches::report::{self, Machine, PeerEntry, PeerFigures, Peers};
use clap::{Parser, ValueEnum};
use peers::measure::{self, Counts, Times};
use peers::{Peer, Workload, receiver};
use serde::de::DeserializeOwned;
use std::process::{Command, ExitCode};
use std::time::Instant;

/// Compare with what a user could pick instead.
#[derive(Debug, Parser)]
enum Task {
    /// Measure every peer at every workload; print all tables.
    Compare {
        /// One process per time in place of five.
        #[arg(long)]
        quick: bool,
    },
    /// Time one peer at one workload; print JSON.
    Time { peer: Peer, workload: Workload },
    /// Receive spans over HTTP from a peer.
    Receive,
}

fn main() -> ExitCode {
    let outcome = match Task::parse() {
        Task::Compare { quick } => compare(if quick { 1 } else { 5 }),
        Task::Time { peer, workload } => measure::time(peer, workload)
            .map_err(anyhow::Error::msg)
            .and_then(|times| Ok(println!("{}", serde_json::to_string(&times)?))),
        Task::Receive => receiver::receive(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Measures each peer in `processes` processes per workload, which take turns.
fn compare(processes: usize) -> anyhow::Result<()> {
    let start = Instant::now();
    let mut entries = Vec::new();
    for workload in Workload::value_variants() {
        let seconds = start.elapsed().as_secs();
        eprintln!("{seconds:>4} s: {}", workload.argument());
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
    let able = |peer: &&Peer| peer.obstacle(workload).is_none();
    let mut times: Vec<(Peer, &str, Vec<Times>)> = Vec::new();
    for peer in Peer::value_variants().iter().filter(able) {
        times.push((*peer, "system", Vec::new()));
        // Ours do not allocate per span.
        if !peer.is_ours() {
            times.push((*peer, "mimalloc", Vec::new()));
        }
    }
    for _ in 0..processes {
        for (peer, allocator, times) in &mut times {
            times.push(match *allocator {
                "system" => run("peers", &["time"], *peer, workload)?,
                program => run(program, &[], *peer, workload)?,
            });
        }
    }
    let mut entries = Vec::new();
    for peer in Peer::value_variants() {
        if let Some(obstacle) = peer.obstacle(workload) {
            entries.push(entry(*peer, "system", workload, Err(obstacle)));
            continue;
        }
        // All programs of a peer make the same calls.
        let counts: Counts = run("counting", &[], *peer, workload)?;
        for (_, allocator, times) in times.iter().filter(|(of, ..)| of == peer) {
            let figures = median(times, counts);
            entries.push(entry(*peer, allocator, workload, Ok(figures)));
        }
    }
    Ok(entries)
}

fn entry(
    peer: Peer,
    allocator: &str,
    workload: Workload,
    figures: Result<PeerFigures, &str>,
) -> PeerEntry {
    let name = |peer: Peer| peer.argument().replace("-http", " (http)");
    PeerEntry {
        peer: name(peer),
        reference: name(if peer.sends() {
            Peer::ZerospanNativeHttp
        } else {
            Peer::ZerospanNative
        }),
        allocator: allocator.to_owned(),
        workload: workload.argument(),
        title: workload.title().to_owned(),
        figures: figures.ok(),
        obstacle: figures.err().map(str::to_owned),
    }
}

/// Runs a program beside this one for `peer` at `workload`, and parses its output.
fn run<F: DeserializeOwned>(
    program: &str,
    arguments: &[&str],
    peer: Peer,
    workload: Workload,
) -> anyhow::Result<F> {
    let name = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    let mut command = Command::new(std::env::current_exe()?.with_file_name(name));
    command
        .args(arguments)
        .args([peer.argument(), workload.argument()]);
    let output = command.output().with_context(|| {
        format!("cannot run {command:?}: build all programs with `cargo xtask bench --peers`")
    })?;
    if !output.status.success() {
        bail!(
            "{command:?} ended with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("{command:?} did not print figures"))
}

/// Returns the median of each time, and the sum of the spans.
fn median(times: &[Times], counts: Counts) -> PeerFigures {
    let middle = |figure: fn(&Times) -> f64| {
        let mut figures: Vec<f64> = times.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
    };
    PeerFigures {
        caller_ns: middle(|times| times.caller_ns),
        caller_p999_ns: middle(|times| times.caller_p999_ns),
        cpu_ns: middle(|times| times.cpu_ns),
        allocations: counts.allocations,
        allocated_bytes: counts.allocated_bytes,
        wire_bytes: middle(|times| times.wire_bytes),
        recorded: times.iter().map(|times| times.recorded).sum(),
        lost: times.iter().map(|times| times.lost).sum(),
    }
}
