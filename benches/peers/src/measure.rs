//! Measures one peer at one workload in this process.

use crate::clients::Client;
use crate::receiver::Receiver;
use crate::{Peer, Workload};
use anyhow::{bail, ensure};
use benches::report::PeerFigures;
use benches::sink::{Sink, count_kinds, count_log_kinds};
use benches::threads::Threads;
use clap::Parser;
use cpu_time::{ProcessTime, ThreadTime};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use zerospan_core::dev::Allocations;

/// Measure one peer at one workload; print JSON.
#[derive(Clone, Copy, Debug, Parser)]
pub struct Task {
    peer: Peer,
    workload: Workload,
}

impl Task {
    /// Measures everything but allocations, and prints it.
    pub fn time(self) -> anyhow::Result<()> {
        let workload = self.workload;
        let mut bench = Bench::new(self)?;
        let caller_p999_ns = bench.time_calls()?;
        let spans = bench.spans_per_run();
        let (mut caller, mut cpu) = (Vec::new(), Vec::new());
        let (mut delivered, mut bytes) = (0, 0);
        for _ in 0..workload.runs() {
            let process = ProcessTime::now();
            let caller_ns = bench.run(workload.excess())?;
            let cpu_ns = process.elapsed().as_nanos();
            let (run_delivered, run_bytes) = bench.destination.take_counts()?;
            let done = if workload.is_sampled() {
                run_delivered
            } else {
                spans
            };
            caller.push(caller_ns as f64 / spans as f64);
            cpu.push(cpu_ns as f64 / done.max(1) as f64);
            delivered += done;
            bytes += run_bytes;
        }
        let recorded = spans * workload.runs();
        print(&PeerFigures {
            caller_ns: median(caller),
            caller_p999_ns,
            cpu_ns: median(cpu),
            wire_bytes: bytes as f64 / delivered.max(1) as f64,
            recorded,
            lost: recorded.saturating_sub(delivered),
            ..PeerFigures::default()
        })
    }

    /// Counts allocations, and prints them. The program must install the counting allocator.
    pub fn count(self) -> anyhow::Result<()> {
        Allocations::assert_counted();
        let mut bench = Bench::new(self)?;
        let mut counted = Allocations::default();
        for _ in 0..self.workload.runs() {
            let before = Allocations::all_threads();
            bench.run(self.workload.excess())?;
            let run = Allocations::all_threads().since(before);
            counted.count += run.count;
            counted.bytes += run.bytes;
            bench.destination.take_counts()?;
        }
        let spans = (bench.spans_per_run() * self.workload.runs()) as f64;
        print(&PeerFigures {
            allocations: counted.count as f64 / spans,
            allocated_bytes: counted.bytes as f64 / spans,
            ..PeerFigures::default()
        })
    }
}

fn print(figures: &PeerFigures) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string(figures)?);
    Ok(())
}

/// Returns the median.
pub fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// The end of a peer's pipeline.
enum Destination {
    Memory(Sink),
    Receiver(Receiver),
}

impl Destination {
    fn take_counts(&mut self) -> anyhow::Result<(u64, u64)> {
        match self {
            Self::Memory(sink) => Ok(sink.take_counts()),
            Self::Receiver(receiver) => {
                let received = receiver.ask(false)?;
                Ok((received.items, received.bytes))
            }
        }
    }

    fn take_requests(&mut self) -> anyhow::Result<Vec<Vec<u8>>> {
        match self {
            Self::Memory(sink) => Ok(sink.take_requests().unwrap_or_default()),
            Self::Receiver(receiver) => Ok(receiver.ask(true)?.bodies),
        }
    }
}

/// A peer whose output was checked, warmed up.
struct Bench {
    task: Task,
    recorder: Recorder,
    second: Option<Threads>,
    destination: Destination,
}

impl Bench {
    fn new(task: Task) -> anyhow::Result<Self> {
        const WARM_UP: usize = 5;
        let Task { peer, workload } = task;
        if let Some(obstacle) = peer.obstacle(workload) {
            bail!("{obstacle}");
        }
        let (client, destination) = if peer.reference() == Peer::ZerospanNativeHttp {
            let receiver = Receiver::start()?;
            let client = peer.over_http(workload, &receiver.url(workload))?;
            (client, Destination::Receiver(receiver))
        } else {
            let sink = Sink::default();
            sink.keep_requests();
            (peer.in_memory(workload, &sink)?, Destination::Memory(sink))
        };
        let recorder = Recorder {
            client: client.into(),
            workload,
            times: Arc::default(),
            calls: Arc::default(),
        };
        let other = recorder.clone();
        let second = (workload.threads() == 2).then(|| Threads::new(1, move || other.record()));
        let mut bench = Self {
            task,
            recorder,
            second,
            destination,
        };
        bench.check()?;
        for _ in 0..WARM_UP {
            bench.run(1)?;
        }
        bench.destination.take_counts()?;
        Ok(bench)
    }

    /// Returns how often each thread does the workload in a run whose spans fit every queue.
    fn times(&self) -> u64 {
        self.task.peer.spans() / self.task.workload.spans() / self.task.workload.threads()
    }

    fn spans_per_run(&self) -> u64 {
        let workload = self.task.workload;
        self.times() * workload.excess() * workload.spans() * workload.threads()
    }

    /// Compares what is delivered with what the official SDK delivers.
    fn check(&mut self) -> anyhow::Result<()> {
        let Task { peer, workload } = self.task;
        self.run(1)?;
        let requests = self.destination.take_requests()?;
        let sink = Sink::default();
        sink.keep_requests();
        let official = Peer::Sdk.in_memory(workload, &sink)?;
        official.record(workload, self.times() * workload.threads());
        official.flush()?;
        let official = sink.take_requests().unwrap_or_default();
        let kinds = |requests: &[Vec<u8>]| {
            let kinds = if workload.is_logs() {
                count_log_kinds(requests, Peer::normalize_log)
            } else {
                count_kinds(requests, |span| peer.normalize(span))
            };
            kinds.map_err(anyhow::Error::msg)
        };
        let (found, expected) = (kinds(&requests)?, kinds(&official)?);
        ensure!(
            found == expected && expected.is_empty() != workload.is_sampled(),
            "expected {expected:#?}, found {found:#?}"
        );
        Ok(())
    }

    /// Records `excess` times what fits every queue, and flushes. Returns the processor time of the recording threads in
    /// nanoseconds.
    fn run(&self, excess: u64) -> anyhow::Result<u64> {
        let times = self.times() * excess;
        self.recorder.times.store(times, Ordering::Relaxed);
        let nanos = match &self.second {
            Some(second) => {
                second.start();
                self.recorder.record() + second.finish()
            }
            None => self.recorder.record(),
        };
        self.recorder.client.flush()?;
        Ok(nanos)
    }

    /// Returns the 99.9th percentile of a call, in separate runs: reading the clock for each call costs time.
    fn time_calls(&mut self) -> anyhow::Result<f64> {
        let calls = Arc::clone(&self.recorder.calls);
        let lock = || calls.lock().unwrap_or_else(PoisonError::into_inner);
        *lock() = Some(Vec::new());
        for _ in 0..self.task.workload.runs() {
            self.run(self.task.workload.excess())?;
            self.destination.take_counts()?;
        }
        let mut calls = lock().take().unwrap_or_default();
        calls.sort_unstable();
        Ok(calls[calls.len() * 999 / 1_000] as f64)
    }
}

/// The work of each recording thread in a run.
#[derive(Clone)]
struct Recorder {
    client: Arc<dyn Client>,
    workload: Workload,
    times: Arc<AtomicU64>,
    /// The time of each call; `None` while calls are not timed.
    calls: Arc<Mutex<Option<Vec<u64>>>>,
}

impl Recorder {
    /// Returns the processor time of this thread in nanoseconds.
    fn record(&self) -> u64 {
        let times = self.times.load(Ordering::Relaxed);
        let lock = || self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let is_timed = lock().is_some();
        let mut calls = Vec::with_capacity(if is_timed { times as usize } else { 0 });
        let processor = ThreadTime::now();
        if is_timed {
            for _ in 0..times {
                let call = Instant::now();
                self.client.record(self.workload, 1);
                calls.push(call.elapsed().as_nanos() as u64);
            }
        } else {
            self.client.record(self.workload, times);
        }
        self.client.flush_thread();
        let elapsed = processor.elapsed().as_nanos() as u64;
        if let Some(all) = &mut *lock() {
            all.append(&mut calls);
        }
        elapsed
    }
}
