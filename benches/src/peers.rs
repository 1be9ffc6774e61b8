//! What a user could pick instead, on the same work, each in a process of its own: `cargo xtask bench --peers`.
//!
//! Every peer ends in OTLP bytes in memory: those that go through the stock SDK's exporters do what the official ones do
//! up to the bytes. What a peer adds to a span of its own accord (thread, source line, level) is switched off.

mod fastrace;
mod sdk;
mod sink;
mod tracing;
mod zerospan;

use clap::{Parser, ValueEnum};
use cpu_time::{ProcessTime, ThreadTime};
use opentelemetry::{KeyValue, Value};
use serde::{Deserialize, Serialize};
use sink::{Sink, Values};
use std::hint::black_box;
use std::process::ExitCode;
use zerospan_otlp::StaticKey;

/// Who does the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Peer {
    /// The stock SDK, its batch processor, the official transform and prost.
    Sdk,
    /// The macros of `tracing`, over the stock SDK.
    Tracing,
    /// fastrace with its reporter for OpenTelemetry.
    Fastrace,
    /// Ours, through the traits of OpenTelemetry.
    ZerospanOtel,
    /// Ours, through native calls.
    ZerospanNative,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Work {
    /// A root span without attributes.
    Root0,
    /// A root span of 8 attributes.
    Root8,
    /// A root span of 32 attributes.
    Root32,
    /// A root span and its 9 children, each of the ten with 4 attributes.
    Tree,
    /// A root span of 8 attributes that the sampler drops.
    Unsampled,
    /// Root spans of 8 attributes, ten times as many as the smallest queue takes, and no flush between them.
    Burst,
}

impl Work {
    fn attributes(self) -> usize {
        match self {
            Self::Root0 => 0,
            Self::Root8 | Self::Unsampled | Self::Burst => 8,
            Self::Root32 => 32,
            Self::Tree => 4,
        }
    }

    fn is_sampled(self) -> bool {
        self != Self::Unsampled
    }

    /// How often the work is done for a run whose spans fit the queue.
    fn times(self) -> u64 {
        match self {
            Self::Tree => SPANS / (CHILDREN + 1),
            _ => SPANS,
        }
    }

    /// How many times that a measured run does.
    fn stretch(self) -> u64 {
        match self {
            Self::Burst => 10,
            _ => 1,
        }
    }

    /// How many runs are measured.
    fn runs(self) -> u64 {
        match self {
            Self::Burst => 11,
            _ => 41,
        }
    }
}

/// What a peer's process found.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Figures {
    /// Processor time of the thread that starts, fills and ends a span; nanoseconds, the median run.
    pub caller_ns: f64,
    /// Processor time of all threads for each span that arrives as OTLP bytes, or that the sampler drops; nanoseconds, the
    /// median run.
    pub cpu_ns: f64,
    /// Bytes that a span takes in a request, its share of what stands once a request included; 0 if none was sent.
    pub wire_bytes: f64,
    /// Spans that were recorded, in all runs.
    pub recorded: u64,
    /// Those of them that did not arrive.
    pub lost: u64,
    /// Heap allocations of all threads for each span; only the process that counts says so.
    pub allocations: Option<f64>,
}

/// Measure one peer at one work, and print the figures as JSON.
#[derive(Debug, Parser)]
struct Arguments {
    peer: Peer,
    work: Work,
}

/// What the programs `peer_*` do: they differ in their allocator.
#[allow(clippy::print_stdout, clippy::print_stderr)]
pub fn measure_and_print(allocations: Option<fn() -> u64>) -> ExitCode {
    let Arguments { peer, work } = Arguments::parse();
    let outcome = peer
        .measure(work, allocations)
        .and_then(|figures| serde_json::to_string(&figures).map_err(|error| error.to_string()));
    match outcome {
        Ok(figures) => {
            println!("{figures}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("error: {peer:?}, {work:?}: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Spans of one run: they fit the smallest of the peers' queues in their default settings, which takes 2,048.
const SPANS: u64 = 2_000;
const CHILDREN: u64 = 9;
/// Runs before the measured ones.
const WARM_UP: usize = 5;

/// A peer, set up.
trait Pipeline {
    /// Does the work `times` times.
    fn record(&mut self, work: Work, times: u64);

    /// Waits until all that was recorded is in the sink.
    ///
    /// # Errors
    ///
    /// What the peer says if it did not come that far.
    fn flush(&mut self) -> Result<(), String>;
}

impl Peer {
    /// Checks what the peer sends, then measures it. `allocations` is how often this process has allocated so far, where
    /// that is counted.
    ///
    /// A process measures one peer at one work: `tracing` and fastrace own globals.
    ///
    /// # Errors
    ///
    /// If what the peer sends is not what the work says, or it cannot flush.
    pub fn measure(self, work: Work, allocations: Option<fn() -> u64>) -> Result<Figures, String> {
        let sink = Sink::default();
        let mut pipeline = self.set_up(work, &sink)?;
        check(&mut *pipeline, work, self.values(), &sink)?;
        for _ in 0..WARM_UP {
            pipeline.record(work, work.times());
            pipeline.flush()?;
        }
        sink.clear();

        let spans = SPANS * work.stretch();
        let (mut caller, mut all) = (Vec::new(), Vec::new());
        let (mut arrived, mut bytes) = (0, 0);
        let allocated = || allocations.map(|count| count());
        let before = allocated();
        for _ in 0..work.runs() {
            let (thread, process) = (ThreadTime::now(), ProcessTime::now());
            pipeline.record(work, work.times() * work.stretch());
            let callers = thread.elapsed();
            pipeline.flush()?;
            let everyones = process.elapsed();
            let (now_arrived, now_bytes) = sink.clear();
            let done = if work.is_sampled() {
                now_arrived
            } else {
                spans
            };
            caller.push(callers.as_nanos() as f64 / spans as f64);
            all.push(everyones.as_nanos() as f64 / done as f64);
            arrived += now_arrived;
            bytes += now_bytes;
        }
        let allocations = allocated().zip(before);
        let recorded = spans * work.runs();
        Ok(Figures {
            caller_ns: median(&mut caller),
            cpu_ns: median(&mut all),
            wire_bytes: if arrived == 0 {
                0.0
            } else {
                bytes as f64 / arrived as f64
            },
            recorded,
            lost: if work.is_sampled() {
                recorded.saturating_sub(arrived)
            } else {
                0
            },
            allocations: allocations
                .map(|(after, before)| (after - before) as f64 / recorded as f64),
        })
    }

    fn set_up(self, work: Work, sink: &Sink) -> Result<Box<dyn Pipeline>, String> {
        Ok(match self {
            Self::Sdk => Box::new(sdk::Stock::new(work, sink)),
            Self::Tracing => Box::new(tracing::Macros::new(work, sink)?),
            Self::Fastrace => Box::new(fastrace::Fastrace::new(work, sink)),
            Self::ZerospanOtel => Box::new(zerospan::Otel::new(work, sink)?),
            Self::ZerospanNative => Box::new(zerospan::Native::new(work, sink)?),
        })
    }

    /// What becomes of a number.
    fn values(self) -> Values {
        match self {
            Self::Fastrace => Values::Text,
            _ => Values::Typed,
        }
    }
}

/// Does as much of the work as fits the queue, and decodes what arrives.
fn check(
    pipeline: &mut dyn Pipeline,
    work: Work,
    values: Values,
    sink: &Sink,
) -> Result<(), String> {
    sink.keep();
    pipeline.record(work, work.times());
    pipeline.flush()?;
    let found = sink.decode(values)?;
    let expected = sink::expected(work, values);
    if found == expected {
        Ok(())
    } else {
        Err(format!("expected {expected:#?}, found {found:#?}"))
    }
}

fn median(samples: &mut [f64]) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// The names of the spans.
const ROOT: &str = "GET /users/{id}";
const CHILD: &str = "select user";
/// The values of the attributes, in turn; [`attribute`] and its like hide them from the compiler.
const TEXT: &str = "a value of usual length";
const NUMBER: i64 = 200;

macro_rules! keys {
    ($($key:literal)+) => {
        /// The keys of the attributes.
        const KEYS: [&str; 32] = [$($key),+];
        /// The same, encoded.
        static ENCODED_KEYS: [StaticKey; 32] = [$(StaticKey::new($key)),+];
    };
}

keys!(
    "attribute.00" "attribute.01" "attribute.02" "attribute.03" "attribute.04" "attribute.05" "attribute.06" "attribute.07"
    "attribute.08" "attribute.09" "attribute.10" "attribute.11" "attribute.12" "attribute.13" "attribute.14" "attribute.15"
    "attribute.16" "attribute.17" "attribute.18" "attribute.19" "attribute.20" "attribute.21" "attribute.22" "attribute.23"
    "attribute.24" "attribute.25" "attribute.26" "attribute.27" "attribute.28" "attribute.29" "attribute.30" "attribute.31"
);

/// The attribute at `index`, as the traits of OpenTelemetry take it.
#[inline]
fn attribute(index: usize) -> KeyValue {
    let value = if index.is_multiple_of(2) {
        Value::from(black_box(TEXT))
    } else {
        Value::from(black_box(NUMBER))
    };
    KeyValue::new(KEYS[index], value)
}
