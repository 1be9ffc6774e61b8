//! Starts the sides, sends requests to them in turns, and reports.

use crate::arguments::{Export, Instrumentation, Options, Protocol, Side};
use crate::cores::Cores;
use crate::figures::{Baseline, Figures, SideSamples};
use crate::http::{Client, client};
use crate::load::{log_record_count, send_requests, span_count};
use crate::logs::{self, LogRecord};
use crate::page;
use crate::process::{Program, Services};
use crate::receiver::Receiver;
use crate::report::Report;
use crate::terminal::{self, Screen};
use crate::trace::{self, Row, Span};
use anyhow::{Context, bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;
use tokio::runtime::Runtime;

/// The requests before the first round: enough to fill the buffers and the connections of every side.
const WARM_UP: u64 = 200;

/// With more rounds, the median does not get steadier.
const MAX_ROUNDS: u64 = 60;

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let screen = Screen::detect();
    let cores = Cores::divide();
    let demo = Demo {
        cores,
        runtime: tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?,
        client: client(),
        instrumentation: options.instrumentation(),
        sides: if options.official {
            vec![Side::Official]
        } else {
            vec![Side::Zerospan, Side::Official]
        },
    };
    let receiver = demo.runtime.block_on(Receiver::start())?;
    let built_in = |side: Side| receiver.export(side);

    let requests = u64::from(options.requests);
    let (outcome, destination) = match &options.endpoint {
        None => {
            let outcome = demo.measure(requests, WARM_UP, built_in)?;
            demo.received(&receiver, &outcome)?;
            (outcome, "the built-in receiver".to_owned())
        }
        Some(url) => {
            ensure!(
                cfg!(feature = "grpc") || options.protocol != Protocol::Grpc,
                "the demo was built without gRPC: start it as `cargo xtask demo`, or build it with `--features grpc`"
            );
            let collector = Export::to_collector(url, options.protocol);
            let outcome = demo.measure(requests, WARM_UP, |_| collector.clone())?;
            (outcome, collector.to_string())
        }
    };
    // A short run with the built-in receiver supplies the traces to draw, since what a collector received is not accessible, and
    // their log records, whose cost is no part of the figures.
    let short = demo.measure(128, 64, |side| match demo.instrumentation {
        Instrumentation::Tracing => receiver.export_with_logs(side),
        Instrumentation::Api => receiver.export(side),
    })?;
    let Received { spans, logs, .. } = demo.received(&receiver, &short)?;
    let report = outcome.report(destination, trace::draw_examples(&spans, &logs));
    print!("{}", terminal::render(&report, screen)?);
    let page = page::write(&report, &options.out)?;
    println!("\nThe report as a page: {}", page.display());
    let lost: u64 = report.sides.iter().map(|side| side.dropped).sum();
    ensure!(
        lost == 0,
        "{lost} spans were not delivered: see the causes above"
    );
    Ok(())
}

struct Demo {
    cores: Cores,
    runtime: Runtime,
    client: Client,
    instrumentation: Instrumentation,
    /// The sides that trace.
    sides: Vec<Side>,
}

/// The spans that the receiver has of a side.
struct Received {
    /// Spans and log records by shape.
    shapes: BTreeMap<String, u64>,
    spans: Vec<Span>,
    logs: Vec<LogRecord>,
}

/// The samples of a measurement.
struct Measurement {
    instrumentation: Instrumentation,
    /// The requests of each round, without the warm-up.
    rounds: Vec<Range<u64>>,
    warm_up: u64,
    untraced: SideSamples,
    sides: Vec<SideSamples>,
}

impl Demo {
    /// Sends `requests` requests to each side, in rounds, after `warm_up` others.
    fn measure(
        &self,
        requests: u64,
        warm_up: u64,
        export: impl Fn(Side) -> Export,
    ) -> anyhow::Result<Measurement> {
        let mut systems = Vec::new();
        let mut runs = Vec::new();
        for side in [Side::Untraced]
            .into_iter()
            .chain(self.sides.iter().copied())
        {
            systems.push(Services::start(
                &self.cores,
                Program::Counting,
                side,
                self.instrumentation,
                &export(side),
            )?);
            runs.push(SideSamples {
                side,
                samples: Vec::new(),
            });
        }
        let progress = progress((requests + warm_up) * systems.len() as u64);

        for (services, run) in systems.iter_mut().zip(&mut runs) {
            progress.set_message(format!("warming up: {}", services.side.name()));
            self.send(services, 0..warm_up, &progress)?;
            let sample = services.sample()?;
            let made = span_count(0..warm_up);
            if services.side != Side::Untraced && sample.counts.delivered < made {
                progress.finish_and_clear();
                let delivered = sample.counts.delivered;
                let causes: Vec<String> = sample
                    .counts
                    .dropped
                    .iter()
                    .map(|(cause, spans)| format!("{spans}: {cause}"))
                    .collect();
                bail!(
                    "{} took {delivered} of the first {made} spans of the side {} ({} dropped; {}): start a collector there that \
                     speaks this protocol, change --endpoint or --protocol, or omit both to use the built-in receiver",
                    export(services.side),
                    services.side.name(),
                    made - delivered,
                    causes.join("; "),
                );
            }
            run.samples.push(sample);
        }

        let rounds = rounds(warm_up, requests);
        for (number, round) in rounds.iter().enumerate() {
            progress.set_message(format!("round {} of {}", number + 1, rounds.len()));
            for turn in 0..systems.len() {
                // Each side is first, second and last equally often.
                let index = (turn + number) % systems.len();
                self.send(&systems[index], round.clone(), &progress)?;
                runs[index].samples.push(systems[index].sample()?);
            }
        }
        progress.finish_and_clear();
        let untraced = runs.remove(0);
        Ok(Measurement {
            instrumentation: self.instrumentation,
            rounds,
            warm_up,
            untraced,
            sides: runs,
        })
    }

    fn send(
        &self,
        services: &Services,
        requests: Range<u64>,
        progress: &ProgressBar,
    ) -> anyhow::Result<()> {
        let sending = send_requests(&self.client, services.address, requests, progress);
        self.runtime.block_on(sending)
    }

    /// Checks that the receiver has every span and every log record of every side, and the same from each, and returns those of the
    /// first side.
    fn received(&self, receiver: &Receiver, outcome: &Measurement) -> anyhow::Result<Received> {
        let made = span_count(0..outcome.warm_up) + outcome.spans().iter().sum::<u64>();
        let mut first: Option<Received> = None;
        for side in &self.sides {
            let spans = receiver.take(*side)?;
            ensure!(
                spans.len() as u64 == made,
                "the receiver has {} of the {made} spans of the side {}",
                spans.len(),
                side.name()
            );
            let logs = receiver.take_logs(*side)?;
            ensure!(
                logs.is_empty() || logs.len() as u64 == outcome.log_records(),
                "the receiver has {} of the {} log records of the side {}",
                logs.len(),
                outcome.log_records(),
                side.name()
            );
            let mut shapes = trace::shapes(&spans);
            shapes.extend(logs::shapes(&logs, &trace::names(&spans)));
            match &first {
                None => {
                    first = Some(Received {
                        shapes,
                        spans,
                        logs,
                    });
                }
                Some(first) => {
                    if let Some(difference) = trace::difference(&first.shapes, &shapes) {
                        bail!("the sides did not record the same: {difference}");
                    }
                }
            }
        }
        first.context("no side was measured")
    }
}

impl Measurement {
    /// Returns the number of spans of each round.
    fn spans(&self) -> Vec<u64> {
        self.rounds.iter().cloned().map(span_count).collect()
    }

    /// Returns the number of log records that the requests make.
    fn log_records(&self) -> u64 {
        log_record_count(
            0..self.warm_up
                + self
                    .rounds
                    .iter()
                    .map(|round| round.end - round.start)
                    .sum::<u64>(),
        )
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
            .map(|run| Figures::new(run, &self.untraced, &made, span_count(0..self.warm_up)))
            .collect();
        Report::new(
            self.instrumentation,
            requests.iter().sum(),
            requests.len() as u64,
            destination,
            Baseline::new(&self.untraced, &requests),
            sides,
            traces,
        )
    }
}

/// Divides the requests into rounds of nearly equal length.
fn rounds(first: u64, requests: u64) -> Vec<Range<u64>> {
    let rounds = (requests / 32).clamp(1, MAX_ROUNDS);
    (0..rounds)
        .map(|round| first + requests * round / rounds..first + requests * (round + 1) / rounds)
        .collect()
}

/// Returns a progress bar, which is hidden if the output is no terminal.
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
    fn the_rounds_cover_all_requests() {
        for requests in [1, 31, 64, 1_000, 12_001] {
            let rounds = rounds(200, requests);
            assert_eq!(rounds[0].start, 200);
            assert_eq!(rounds[rounds.len() - 1].end, 200 + requests);
            assert!(rounds.windows(2).all(|pair| pair[0].end == pair[1].start));
        }
    }
}
