//! The demo: starts the sides, drives requests through them in turns, and reports.

use crate::arguments::{Export, Options, Side};
use crate::drive::{drive, spans};
use crate::figures::{Figures, Plain, Run};
use crate::http::{Client, client};
use crate::process::Process;
use crate::receiver::Receiver;
use crate::report::Report;
use crate::terminal::{self, Screen};
use crate::trace::{self, Row};
use anyhow::{bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use std::ops::Range;
use std::time::Duration;
use tokio::runtime::Runtime;

/// Enough to fill the buffers and the connections of every side.
const WARM_UP: u64 = 200;

/// The most rounds: from so many on, the median is steady.
const ROUNDS: u64 = 60;

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let screen = Screen::of_stdout();
    let demo = Demo {
        runtime: tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?,
        client: client(),
        sides: if options.stock {
            vec![Side::Stock]
        } else {
            vec![Side::Zerospan, Side::Stock]
        },
    };
    let receiver = demo.runtime.block_on(Receiver::start())?;
    let inside = |side: Side| receiver.export(side);

    let requests = u64::from(options.requests);
    let report = match &options.endpoint {
        None => {
            let outcome = demo.measure(requests, WARM_UP, inside)?;
            let traces = demo.inspect(&receiver, &outcome)?;
            outcome.report("the receiver inside".to_owned(), traces)
        }
        Some(url) => {
            let collector = Export::to_collector(url, options.protocol);
            let outcome = demo.measure(requests, WARM_UP, |_| collector.clone())?;
            // What a collector got cannot be seen from here: the picture and the check of the structure are of a short run
            // with the receiver inside.
            let short = demo.measure(64, 1, inside)?;
            let traces = demo.inspect(&receiver, &short)?;
            outcome.report(collector.to_string(), traces)
        }
    };
    print!("{}", terminal::render(&report, screen));
    let page = report.write(&options.out)?;
    println!("\nThe same as a page: {}", page.display());
    let lost: u64 = report.sides.iter().map(|side| side.dropped).sum();
    ensure!(
        lost == 0,
        "{lost} spans were not delivered: the counts above say why"
    );
    Ok(())
}

struct Demo {
    runtime: Runtime,
    client: Client,
    /// Those that trace.
    sides: Vec<Side>,
}

/// What was measured.
struct Outcome {
    /// The requests of the rounds, without those before.
    rounds: Vec<Range<u64>>,
    warm_up: u64,
    plain: Run,
    sides: Vec<Run>,
}

impl Demo {
    /// Drives `requests` requests through each side, in rounds, after `warm_up` more.
    fn measure(
        &self,
        requests: u64,
        warm_up: u64,
        export: impl Fn(Side) -> Export,
    ) -> anyhow::Result<Outcome> {
        let mut processes = Vec::new();
        let mut runs = Vec::new();
        for side in [Side::Plain].into_iter().chain(self.sides.iter().copied()) {
            processes.push(Process::start(side, &export(side))?);
            runs.push(Run {
                side,
                samples: Vec::new(),
            });
        }
        let progress = progress((requests + warm_up) * processes.len() as u64);

        for (process, run) in processes.iter_mut().zip(&mut runs) {
            progress.set_message(format!("warming up: {}", process.side.name()));
            self.drive(process, 0..warm_up, &progress)?;
            let sample = process.sample()?;
            let made = spans(0..warm_up);
            if process.side != Side::Plain && sample.counts.delivered < made {
                progress.finish_and_clear();
                let delivered = sample.counts.delivered;
                let causes: Vec<String> = sample
                    .counts
                    .dropped
                    .iter()
                    .map(|(cause, spans)| format!("{spans}: {cause}"))
                    .collect();
                bail!(
                    "{} took {delivered} of the {made} spans that {} sent first ({} dropped; {}). Is a collector listening \
                     there, and does it speak this protocol? Start it, change --endpoint or --protocol, or leave both \
                     out to use the receiver inside",
                    export(process.side),
                    process.side.name(),
                    made - delivered,
                    causes.join("; "),
                );
            }
            run.samples.push(sample);
        }

        let rounds = rounds(warm_up, requests);
        for (number, round) in rounds.iter().enumerate() {
            progress.set_message(format!("round {} of {}", number + 1, rounds.len()));
            for turn in 0..processes.len() {
                // Each side comes first, second and last equally often.
                let index = (turn + number) % processes.len();
                self.drive(&processes[index], round.clone(), &progress)?;
                runs[index].samples.push(processes[index].sample()?);
            }
        }
        progress.finish_and_clear();
        let plain = runs.remove(0);
        Ok(Outcome {
            rounds,
            warm_up,
            plain,
            sides: runs,
        })
    }

    fn drive(
        &self,
        process: &Process,
        requests: Range<u64>,
        progress: &ProgressBar,
    ) -> anyhow::Result<()> {
        let drive = drive(&self.client, process.address, requests, progress);
        self.runtime.block_on(drive)
    }

    /// Checks that the receiver got every span of every side, and the same from each; gives two traces as pictures.
    fn inspect(&self, receiver: &Receiver, outcome: &Outcome) -> anyhow::Result<Vec<Vec<Row>>> {
        let made = spans(0..outcome.warm_up) + outcome.spans().iter().sum::<u64>();
        let mut pictures = Vec::new();
        let mut first = None;
        for side in &self.sides {
            let received = receiver.take(*side)?;
            ensure!(
                received.len() as u64 == made,
                "the receiver got {} of the {made} spans of {}",
                received.len(),
                side.name()
            );
            let shapes = trace::shapes(&received);
            match &first {
                None => {
                    pictures = trace::pictures(&received);
                    first = Some(shapes);
                }
                Some(first) => {
                    if let Some(difference) = trace::difference(first, &shapes) {
                        bail!("the sides did not make the same spans: {difference}");
                    }
                }
            }
        }
        Ok(pictures)
    }
}

impl Outcome {
    /// How many spans each round made.
    fn spans(&self) -> Vec<u64> {
        self.rounds.iter().cloned().map(spans).collect()
    }

    fn report(&self, destination: String, traces: Vec<Vec<Row>>) -> Report {
        let made = self.spans();
        let requests: Vec<u64> = self
            .rounds
            .iter()
            .map(|round| round.end - round.start)
            .collect();
        let sides = self
            .sides
            .iter()
            .map(|run| Figures::new(run, &self.plain, &made, spans(0..self.warm_up)))
            .collect();
        Report::new(
            requests.iter().sum(),
            requests.len() as u64,
            destination,
            Plain::new(&self.plain, &requests),
            sides,
            traces,
        )
    }
}

/// The requests of each round: as many rounds as make sense, nearly equally long.
fn rounds(first: u64, requests: u64) -> Vec<Range<u64>> {
    let rounds = (requests / 32).clamp(1, ROUNDS);
    (0..rounds)
        .map(|round| first + requests * round / rounds..first + requests * (round + 1) / rounds)
        .collect()
}

/// A bar on the terminal; nothing where the output goes elsewhere.
fn progress(requests: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {percent}% {msg}");
    let bar = ProgressBar::new(requests);
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

#[cfg(test)]
mod tests {
    use super::rounds;

    #[test]
    fn the_rounds_are_all_the_requests() {
        for requests in [1, 31, 64, 1_000, 12_001] {
            let rounds = rounds(200, requests);
            assert_eq!(rounds[0].start, 200);
            assert_eq!(rounds[rounds.len() - 1].end, 200 + requests);
            assert!(rounds.windows(2).all(|pair| pair[0].end == pair[1].start));
        }
    }
}
