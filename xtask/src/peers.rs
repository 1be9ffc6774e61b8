//! What a user could pick instead, on the same work: a table, each figure from a process of its own.

use crate::bench::program;
use crate::cargo::{cargo, line, run};
use anyhow::{Context, bail};
use serde::Deserialize;
use std::fmt;

/// What a process prints; `benches::peers::Figures` says what the figures are.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Figures {
    caller_ns: f64,
    cpu_ns: f64,
    wire_bytes: f64,
    recorded: u64,
    lost: u64,
    allocations: Option<f64>,
}

/// A peer, and the program that runs it: the programs differ in their allocator.
#[derive(Clone, Copy, Debug)]
struct Contender {
    peer: &'static str,
    program: &'static str,
}

/// Ours allocate nothing for a span, so that no other allocator is of interest.
const CONTENDERS: [Contender; 8] = [
    system("zerospan-native"),
    system("zerospan-otel"),
    system("sdk"),
    mimalloc("sdk"),
    system("tracing"),
    mimalloc("tracing"),
    system("fastrace"),
    mimalloc("fastrace"),
];

const fn system(peer: &'static str) -> Contender {
    Contender {
        peer,
        program: "peer_system",
    }
}

const fn mimalloc(peer: &'static str) -> Contender {
    Contender {
        peer,
        program: "peer_mimalloc",
    }
}

/// As `benches::peers::Work` calls them, and for the reader.
const WORKS: [(&str, &str); 6] = [
    ("root0", "a root span without attributes"),
    ("root8", "a root span of 8 attributes"),
    ("root32", "a root span of 32 attributes"),
    (
        "tree",
        "a root span and its 9 children, each with 4 attributes; figures per span",
    ),
    (
        "unsampled",
        "a root span of 8 attributes that the sampler drops",
    ),
    (
        "burst",
        "root spans of 8 attributes, ten times as many as the queue takes",
    ),
];

/// Processes of each contender at each work. They take turns, so that a busy moment does not hit one alone.
const ROUNDS: usize = 5;
const QUICK_ROUNDS: usize = 1;

/// Builds the programs, runs them and prints the tables.
///
/// # Errors
///
/// If a process fails, as it does where what arrives is not what was recorded.
pub(crate) fn compare(quick: bool) -> anyhow::Result<()> {
    run(cargo()
        .args(["build", "--release", "--package", "benches", "--bins"])
        .args(["--features", "peers"]))?;
    let rounds = if quick { QUICK_ROUNDS } else { ROUNDS };
    for (work, title) in WORKS {
        let mut samples = CONTENDERS.map(|_| Vec::new());
        for _ in 0..rounds {
            for (contender, samples) in CONTENDERS.iter().zip(&mut samples) {
                samples.push(figures(contender.program, contender.peer, work)?);
            }
        }
        println!("\n{title}\n{}", heading());
        let medians = samples.map(|samples| median(&samples));
        for (contender, figures) in CONTENDERS.iter().zip(medians) {
            // The two programs of a peer make the same calls, so that either's count is both's.
            let counted = figures_of_counting(contender, work)?;
            println!("{}", row(contender, &figures, counted, medians[0].cpu_ns));
        }
    }
    println!(
        "\nCPU: all threads, for each span that arrives as OTLP bytes in memory or that the sampler drops; caller and \
         allocations: for each that is recorded. Each time is the median of {rounds} processes, each of which gives the \
         median of its runs. What arrives was decoded, and says the same of everyone, but that fastrace knows values as \
         text only."
    );
    Ok(())
}

fn figures_of_counting(contender: &Contender, work: &str) -> anyhow::Result<f64> {
    figures("peer_counting", contender.peer, work)?
        .allocations
        .context("peer_counting does not say how often it allocates")
}

fn figures(name: &str, peer: &str, work: &str) -> anyhow::Result<Figures> {
    let mut command = program(name);
    command.args([peer, work]);
    let output = command
        .output()
        .with_context(|| format!("cannot start {}", line(&command)))?;
    if !output.status.success() {
        bail!(
            "{} ended with {}: {}",
            line(&command),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("{} printed something else than figures", line(&command)))
}

/// Figure by figure; of the spans, the sum.
fn median(samples: &[Figures]) -> Figures {
    let middle = |figure: fn(&Figures) -> f64| {
        let mut figures: Vec<f64> = samples.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
    };
    Figures {
        caller_ns: middle(|figures| figures.caller_ns),
        cpu_ns: middle(|figures| figures.cpu_ns),
        wire_bytes: middle(|figures| figures.wire_bytes),
        recorded: samples.iter().map(|figures| figures.recorded).sum(),
        lost: samples.iter().map(|figures| figures.lost).sum(),
        allocations: None,
    }
}

fn heading() -> String {
    format!(
        "{:<22}{:>11}{:>9}{:>11}{:>13}{:>12}{:>9}",
        "", "caller ns", "CPU ns", "to native", "allocations", "wire bytes", "lost"
    )
}

fn row(contender: &Contender, figures: &Figures, allocations: f64, native_ns: f64) -> String {
    format!(
        "{:<22}{:>11.1}{:>9.1}{:>11.1}{allocations:>13.2}{:>12.1}{:>9}",
        contender.to_string(),
        figures.caller_ns,
        figures.cpu_ns,
        figures.cpu_ns / native_ns,
        figures.wire_bytes,
        lost(figures)
    )
}

/// The spans that were lost: a share, rounded up, so that a single one shows.
fn lost(figures: &Figures) -> String {
    let per_mille = (figures.lost * 1000).div_ceil(figures.recorded.max(1));
    match figures.lost {
        0 => "0".to_owned(),
        _ => format!("{}.{} %", per_mille / 10, per_mille % 10),
    }
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.peer)?;
        match self.program {
            "peer_mimalloc" => f.write_str(", mimalloc"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CONTENDERS, Figures, median, row};

    fn figures(cpu_ns: f64, lost: u64) -> Figures {
        Figures {
            caller_ns: cpu_ns / 2.0,
            cpu_ns,
            wire_bytes: 100.0,
            recorded: 82_000,
            lost,
            allocations: None,
        }
    }

    #[test]
    fn a_span_lost_in_any_process_is_shown() {
        let median = median(&[figures(9.0, 0), figures(1.0, 3), figures(5.0, 0)]);
        assert_eq!((median.cpu_ns, median.lost), (5.0, 3));
        let row = row(&CONTENDERS[3], &median, 2.0, 2.5);
        let fields: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(
            fields,
            [
                "sdk,", "mimalloc", "2.5", "5.0", "2.0", "2.00", "100.0", "0.1", "%"
            ]
        );
    }
}
