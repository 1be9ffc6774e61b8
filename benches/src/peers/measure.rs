//! One peer at one work, in this process.

use super::crew::{Crew, Pipeline, histogram};
use super::receiver::Receiver;
use super::sink::{Memory, Sink};
use super::{Peer, Work, decode, emit, fast_telemetry, fastrace, sdk, tracing, zerospan};
use clap::Parser;
use cpu_time::ProcessTime;
use serde::{Deserialize, Serialize};
use std::process::ExitCode;
use std::thread;
use zerospan_core::dev::Allocations;

/// What a process that times found; [`Figures`](super::Figures) says what the figures are.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[allow(missing_docs)]
pub struct Times {
    pub caller_ns: f64,
    pub caller_p999_ns: f64,
    pub cpu_ns: f64,
    pub wire_bytes: f64,
    pub recorded: u64,
    pub lost: u64,
}

/// What a process that counts found; [`Figures`](super::Figures) says what the figures are.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[allow(missing_docs)]
pub struct Counts {
    pub allocations: f64,
    pub allocated_bytes: f64,
}

/// Measure one peer at one work, and print the figures as JSON.
#[derive(Debug, Parser)]
struct Arguments {
    peer: Peer,
    work: Work,
}

/// What the programs `peer_system` and `peer_mimalloc` do: they differ in their allocator.
pub fn time_and_print() -> ExitCode {
    print(time)
}

/// What the program `peer_counting` does, whose allocator is the one that counts.
pub fn count_and_print() -> ExitCode {
    print(count)
}

#[allow(clippy::print_stdout, clippy::print_stderr)]
fn print<F: Serialize>(measure: impl FnOnce(&mut Bench<'_>) -> Result<F, String>) -> ExitCode {
    let Arguments { peer, work } = Arguments::parse();
    let outcome = set_up_and(peer, work, measure)
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

/// Runs before the measured ones.
const WARM_UP: usize = 5;

/// A peer whose output was compared, and who is warm.
struct Bench<'p> {
    peer: Peer,
    work: Work,
    pipeline: &'p dyn Pipeline,
    crew: Crew<'p>,
    sink: Sink,
}

/// Checks what the peer sends, then measures it.
///
/// A process measures one peer at one work: `tracing`, fastrace and emit own globals.
fn set_up_and<F>(
    peer: Peer,
    work: Work,
    measure: impl FnOnce(&mut Bench<'_>) -> Result<F, String>,
) -> Result<F, String> {
    if let Some(obstacle) = peer.obstacle(work) {
        return Err(obstacle.to_owned());
    }
    let (sink, pipeline) = set_up(peer, work)?;
    thread::scope(|scope| {
        let mut bench = Bench {
            peer,
            work,
            pipeline: &*pipeline,
            crew: Crew::gather(scope, &*pipeline, work),
            sink,
        };
        bench.check()?;
        for _ in 0..WARM_UP {
            bench.run(bench.times(), || ())?;
        }
        bench.sink.clear()?;
        measure(&mut bench)
    })
}

fn set_up(peer: Peer, work: Work) -> Result<(Sink, Box<dyn Pipeline>), String> {
    if peer.sends() {
        let receiver = Receiver::start()?;
        let url = receiver.url();
        let pipeline: Box<dyn Pipeline> = match peer {
            Peer::SdkHttp => Box::new(sdk::Stock::over_http(work, url)?),
            Peer::Emit => Box::new(emit::Emit::new(work, url)?),
            _ => Box::new(zerospan::Native::over_http(work, url)?),
        };
        return Ok((Sink::Receiver(receiver), pipeline));
    }
    let memory = Memory::default();
    let pipeline: Box<dyn Pipeline> = match peer {
        Peer::Sdk => Box::new(sdk::Stock::in_memory(work, &memory)),
        Peer::Tracing => Box::new(tracing::Macros::new(work, &memory)?),
        Peer::Fastrace => Box::new(fastrace::Fastrace::new(work, &memory)),
        Peer::FastTelemetry => Box::new(fast_telemetry::FastTelemetry::new(&memory)),
        Peer::ZerospanOtel => Box::new(zerospan::Otel::in_memory(work, &memory)?),
        _ => Box::new(zerospan::Native::in_memory(work, &memory)?),
    };
    Ok((Sink::Memory(memory), pipeline))
}

impl Bench<'_> {
    /// How often each thread does the work for a run whose spans fit the queue.
    fn times(&self) -> u64 {
        self.peer.spans() / self.work.spans() / self.work.threads()
    }

    /// Does as much of the work as fits the queue, and decodes what arrives.
    fn check(&mut self) -> Result<(), String> {
        self.sink.keep();
        self.run(self.times(), || ())?;
        let found = decode::found(&self.sink.kept()?)?;
        let times = self.times() * self.work.threads();
        let expected = decode::expected(self.work, self.peer.dialect(), times);
        if found == expected {
            Ok(())
        } else {
            Err(format!("expected {expected:#?}, found {found:#?}"))
        }
    }

    /// Records and flushes. Returns the processor time of the threads that record.
    fn run(&self, times: u64, ready: impl FnOnce()) -> Result<std::time::Duration, String> {
        let callers = self.crew.record(times, ready)?;
        self.pipeline.flush()?;
        Ok(callers)
    }
}

fn time(bench: &mut Bench<'_>) -> Result<Times, String> {
    let caller_p999_ns = time_each(bench)?;
    let times = bench.times() * bench.work.stretch();
    let spans = times * bench.work.spans() * bench.work.threads();
    let (mut callers, mut all) = (Vec::new(), Vec::new());
    let (mut arrived, mut bytes) = (0, 0);
    for _ in 0..bench.work.runs() {
        let mut process = ProcessTime::now();
        let recording = bench.run(times, || process = ProcessTime::now())?;
        let everyones = process.elapsed();
        let (now_arrived, now_bytes) = bench.sink.clear()?;
        let done = if bench.work.is_sampled() {
            now_arrived
        } else {
            spans
        };
        callers.push(recording.as_nanos() as f64 / spans as f64);
        all.push(everyones.as_nanos() as f64 / done.max(1) as f64);
        arrived += now_arrived;
        bytes += now_bytes;
    }
    let recorded = spans * bench.work.runs();
    Ok(Times {
        caller_ns: median(&mut callers),
        caller_p999_ns,
        cpu_ns: median(&mut all),
        wire_bytes: if arrived == 0 {
            0.0
        } else {
            bytes as f64 / arrived as f64
        },
        recorded,
        lost: if bench.work.is_sampled() {
            recorded.saturating_sub(arrived)
        } else {
            0
        },
    })
}

/// The 99.9th percentile of a call. Reading the clock for each would disturb the other figures.
fn time_each(bench: &mut Bench<'_>) -> Result<f64, String> {
    let mut calls = histogram()?;
    for _ in 0..bench.work.runs() {
        bench
            .crew
            .record_each(bench.times() * bench.work.stretch(), &mut calls)?;
        bench.pipeline.flush()?;
        bench.sink.clear()?;
    }
    Ok(calls.value_at_quantile(0.999) as f64)
}

fn count(bench: &mut Bench<'_>) -> Result<Counts, String> {
    let times = bench.times() * bench.work.stretch();
    let mut counted = Allocations::default();
    for _ in 0..bench.work.runs() {
        let mut before = Allocations::all_threads();
        bench.run(times, || before = Allocations::all_threads())?;
        let run = Allocations::all_threads().since(before);
        counted.count += run.count;
        counted.bytes += run.bytes;
        bench.sink.clear()?;
    }
    let spans = times * bench.work.spans() * bench.work.threads() * bench.work.runs();
    Ok(Counts {
        allocations: counted.count as f64 / spans as f64,
        allocated_bytes: counted.bytes as f64 / spans as f64,
    })
}

fn median(samples: &mut [f64]) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}
