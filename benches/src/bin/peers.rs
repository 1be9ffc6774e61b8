//! Compares with what a user could pick instead: prints a table for each work and writes `target/bench/peers.json`.
//!
//! Each figure comes from a process of its own, one of the programs `peer_*` that stand beside this one.

use anyhow::{Context, bail};
use benches::peers::{Allocator, Counts, Entry, Figures, Peer, Table, Times, Work};
use clap::{Parser, ValueEnum};
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

/// Compare with what a user could pick instead.
#[derive(Debug, Parser)]
struct Arguments {
    /// One process for each time, in place of five.
    #[arg(long)]
    quick: bool,
    /// Where the figures go.
    #[arg(long, value_name = "FILE", default_value = "target/bench/peers.json")]
    out: PathBuf,
}

#[allow(clippy::print_stderr)]
fn main() -> ExitCode {
    match compare(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Processes of each contender at each work. They take turns, so that a busy moment does not hit one alone.
const PROCESSES: usize = 5;
const QUICK_PROCESSES: usize = 1;

#[allow(clippy::print_stdout, clippy::print_stderr)]
fn compare(arguments: &Arguments) -> anyhow::Result<()> {
    let processes = if arguments.quick {
        QUICK_PROCESSES
    } else {
        PROCESSES
    };
    let started = Instant::now();
    let mut table = Table {
        processes,
        entries: Vec::new(),
    };
    let works = Work::value_variants();
    for (index, work) in works.iter().enumerate() {
        eprintln!(
            "{:>4} s: work {} of {}, {}",
            started.elapsed().as_secs(),
            index + 1,
            works.len(),
            argument(work)
        );
        let entries = entries(*work, processes)?;
        print(*work, &entries);
        table.entries.extend(entries);
    }
    println!(
        "\nCPU: all threads, for each span that arrives as OTLP bytes or that the sampler drops; to native: that of our native \
         calls, over HTTP where the peer sends. Caller, allocations and heap bytes: for each span that is started. Each time is the median of {processes} processes, each of which gives the \
         median of its runs, or its p99.9. What arrives was decoded, and says the same of everyone, but that fastrace knows \
         values as text only, and that the events of tracing-opentelemetry have their level and target as well.\n\
         (http): sent to a receiver in another process, which is not counted; the kernel's part in sending is. The others end \
         in memory.\n\
         fast-telemetry is drained by whoever flushes, every 1,000 spans in place of 2,000."
    );
    write(&arguments.out, &table)?;
    println!(
        "{} s; figures in {}",
        started.elapsed().as_secs(),
        arguments.out.display()
    );
    Ok(())
}

/// Measures every contender at one work.
fn entries(work: Work, processes: usize) -> anyhow::Result<Vec<Entry>> {
    let contenders: Vec<(Peer, Allocator)> = Peer::value_variants()
        .iter()
        .flat_map(|peer| {
            allocators(*peer)
                .iter()
                .map(|allocator| (*peer, *allocator))
        })
        .collect();
    let mut times = vec![Vec::new(); contenders.len()];
    for _ in 0..processes {
        for ((peer, allocator), times) in contenders.iter().zip(&mut times) {
            if peer.obstacle(work).is_none() {
                times.push(figures::<Times>(program(*allocator), *peer, work)?);
            }
        }
    }
    let mut entries: Vec<Entry> = Vec::new();
    for ((peer, allocator), times) in contenders.into_iter().zip(times) {
        let obstacle = peer.obstacle(work);
        // The programs of a peer make the same calls, so that what one of them allocates, all do.
        let counted = entries.iter().find(|entry| entry.peer == peer);
        let counts = match counted.and_then(|entry| entry.figures) {
            Some(figures) => Some(Counts {
                allocations: figures.allocations,
                allocated_bytes: figures.allocated_bytes,
            }),
            None if obstacle.is_none() => Some(figures("peer_counting", peer, work)?),
            None => None,
        };
        entries.push(Entry {
            peer,
            allocator,
            work,
            figures: counts.map(|counts| median(&times, counts)),
            obstacle: obstacle.map(str::to_owned),
        });
    }
    Ok(entries)
}

/// Ours allocate nothing for a span, so that no other allocator is of interest.
fn allocators(peer: Peer) -> &'static [Allocator] {
    if peer.is_ours() {
        &[Allocator::System]
    } else {
        &[Allocator::System, Allocator::Mimalloc]
    }
}

fn program(allocator: Allocator) -> &'static str {
    match allocator {
        Allocator::System => "peer_system",
        Allocator::Mimalloc => "peer_mimalloc",
    }
}

/// What the program `name` prints for `peer` at `work`.
fn figures<F: DeserializeOwned>(name: &str, peer: Peer, work: Work) -> anyhow::Result<F> {
    let program =
        std::env::current_exe()?.with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let arguments = [argument(&peer), argument(&work)];
    let output = Command::new(&program)
        .args(&arguments)
        .output()
        .with_context(|| {
            format!(
                "cannot run {}: build it with `cargo build --release -p benches --bins --features peers`",
                program.display()
            )
        })?;
    if !output.status.success() {
        bail!(
            "{name} {} ended with {}: {}",
            arguments.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    serde_json::from_slice(&output.stdout).with_context(|| {
        format!(
            "{name} {} printed something else than figures",
            arguments.join(" ")
        )
    })
}

/// As the command line and the tables call it.
fn argument(value: &impl ValueEnum) -> String {
    value
        .to_possible_value()
        .map_or_else(String::new, |value| value.get_name().to_owned())
}

/// Figure by figure; of the spans, the sum.
fn median(times: &[Times], counts: Counts) -> Figures {
    let middle = |figure: fn(&Times) -> f64| {
        let mut figures: Vec<f64> = times.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
    };
    Figures {
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

#[allow(clippy::print_stdout)]
fn print(work: Work, entries: &[Entry]) {
    println!("\n{}\n{}", work.title(), heading());
    let cpu_ns = |peer| {
        let entry = entries.iter().find(|entry| entry.peer == peer);
        entry
            .and_then(|entry| entry.figures)
            .map_or(f64::NAN, |figures| figures.cpu_ns)
    };
    for entry in entries {
        let native = if entry.peer.sends() {
            Peer::ZerospanNativeHttp
        } else {
            Peer::ZerospanNative
        };
        println!("{}", row(entry, cpu_ns(native)));
    }
    let mut obstacles: Vec<&str> = entries
        .iter()
        .filter_map(|entry| entry.obstacle.as_deref())
        .collect();
    obstacles.dedup();
    for obstacle in obstacles {
        println!("  -: {obstacle}");
    }
}

fn heading() -> String {
    format!(
        "{:<30}{:>11}{:>11}{:>9}{:>11}{:>13}{:>12}{:>12}{:>9}",
        "",
        "caller ns",
        "p99.9 ns",
        "CPU ns",
        "to native",
        "allocations",
        "heap bytes",
        "wire bytes",
        "lost"
    )
}

fn row(entry: &Entry, native_ns: f64) -> String {
    let name = name(entry);
    let Some(figures) = &entry.figures else {
        let [a, b, c, d, e, f, g, h] = ["-"; 8];
        return format!("{name:<30}{a:>11}{b:>11}{c:>9}{d:>11}{e:>13}{f:>12}{g:>12}{h:>9}");
    };
    format!(
        "{name:<30}{:>11.1}{:>11.0}{:>9.1}{:>11.1}{:>13.2}{:>12.1}{:>12.1}{:>9}",
        figures.caller_ns,
        figures.caller_p999_ns,
        figures.cpu_ns,
        figures.cpu_ns / native_ns,
        figures.allocations,
        figures.allocated_bytes,
        figures.wire_bytes,
        lost(figures)
    )
}

fn name(entry: &Entry) -> String {
    let mut name = argument(&entry.peer);
    if entry.peer.sends() {
        name = format!("{} (http)", name.trim_end_matches("-http"));
    }
    match entry.allocator {
        Allocator::System => name,
        Allocator::Mimalloc => format!("{name}, mimalloc"),
    }
}

/// The spans that were lost: a share, rounded up, so that a single one shows.
fn lost(figures: &Figures) -> String {
    let per_mille = (figures.lost * 1000).div_ceil(figures.recorded.max(1));
    match figures.lost {
        0 => "0".to_owned(),
        _ => format!("{}.{} %", per_mille / 10, per_mille % 10),
    }
}

fn write(out: &Path, table: &Table) -> anyhow::Result<()> {
    if let Some(directory) = out.parent() {
        std::fs::create_dir_all(directory)
            .with_context(|| format!("cannot make {}", directory.display()))?;
    }
    std::fs::write(out, serde_json::to_string_pretty(table)?).with_context(|| {
        format!(
            "cannot write {}: choose another place with --out",
            out.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::{Allocator, Counts, Entry, Peer, Times, Work, median, row};

    const COUNTS: Counts = Counts {
        allocations: 2.0,
        allocated_bytes: 64.0,
    };

    fn times(cpu_ns: f64, lost: u64) -> Times {
        Times {
            caller_ns: cpu_ns / 2.0,
            caller_p999_ns: cpu_ns * 10.0,
            cpu_ns,
            wire_bytes: 100.0,
            recorded: 82_000,
            lost,
        }
    }

    fn fields(entry: &Entry) -> Vec<String> {
        let row = row(entry, 2.5);
        row.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn a_span_lost_in_any_process_is_shown() {
        let figures = median(&[times(9.0, 0), times(1.0, 3), times(5.0, 0)], COUNTS);
        assert_eq!((figures.cpu_ns, figures.lost), (5.0, 3));
        let entry = Entry {
            peer: Peer::Sdk,
            allocator: Allocator::Mimalloc,
            work: Work::Root8,
            figures: Some(figures),
            obstacle: None,
        };
        let expected = [
            "sdk,", "mimalloc", "2.5", "50", "5.0", "2.0", "2.00", "64.0", "100.0", "0.1", "%",
        ];
        assert_eq!(fields(&entry), expected);
    }

    #[test]
    fn a_work_that_a_peer_cannot_do_has_no_figure() {
        let entry = Entry {
            peer: Peer::Emit,
            allocator: Allocator::System,
            work: Work::Events,
            figures: None,
            obstacle: Peer::Emit.obstacle(Work::Events).map(str::to_owned),
        };
        assert!(entry.obstacle.is_some());
        assert_eq!(fields(&entry)[..2], ["emit", "(http)"]);
        assert!(fields(&entry)[2..].iter().all(|field| field == "-"));
    }
}
