//! Measures one peer at one workload in this process.

use crate::clients::Client;
use crate::receiver::Receiver;
use crate::{Peer, Workload, decode};
use benches::sink::Sink;
use benches::threads::Threads;
use cpu_time::{ProcessTime, ThreadTime};
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use zerospan_core::dev::Allocations;

/// The figures of a process that times; see [`PeerFigures`](benches::report::PeerFigures).
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

/// The figures of a process that counts; see [`PeerFigures`](benches::report::PeerFigures).
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[allow(missing_docs)]
pub struct Counts {
    pub allocations: f64,
    pub allocated_bytes: f64,
}

/// Times `peer` at `workload`.
///
/// # Errors
///
/// Returns an error if the peer fails or delivers something else than was recorded.
pub fn time(peer: Peer, workload: Workload) -> Result<Times, String> {
    let mut bench = Bench::new(peer, workload)?;
    let caller_p999_ns = bench.time_calls()?;
    let times = bench.times() * workload.excess();
    let spans = times * workload.spans() * workload.threads();
    let (mut caller, mut cpu) = (Vec::new(), Vec::new());
    let (mut delivered, mut bytes) = (0, 0);
    for _ in 0..workload.runs() {
        let process = ProcessTime::now();
        let caller_ns = bench.run(times)?;
        let cpu_ns = process.elapsed().as_nanos();
        let (run_delivered, run_bytes) = bench.destination.take_counts()?;
        let done = if workload.is_sampled() {
            run_delivered
        } else {
            spans
        };
        caller.push(caller_ns as f64 / spans as f64);
        cpu.push(cpu_ns as f64 / done.max(1) as f64);
        delivered += run_delivered;
        bytes += run_bytes;
    }
    let recorded = spans * workload.runs();
    let kept = if workload.is_sampled() {
        delivered
    } else {
        recorded
    };
    Ok(Times {
        caller_ns: median(&mut caller),
        caller_p999_ns,
        cpu_ns: median(&mut cpu),
        wire_bytes: bytes as f64 / delivered.max(1) as f64,
        recorded,
        lost: recorded.saturating_sub(kept),
    })
}

/// Counts the allocations of `peer` at `workload`. The process must have the counting allocator.
///
/// # Errors
///
/// Returns an error if the peer fails or delivers something else than was recorded.
pub fn count(peer: Peer, workload: Workload) -> Result<Counts, String> {
    Allocations::assert_counted();
    let mut bench = Bench::new(peer, workload)?;
    let times = bench.times() * workload.excess();
    let mut counted = Allocations::default();
    for _ in 0..workload.runs() {
        let before = Allocations::all_threads();
        bench.run(times)?;
        let run = Allocations::all_threads().since(before);
        counted.count += run.count;
        counted.bytes += run.bytes;
        bench.destination.take_counts()?;
    }
    let spans = (times * workload.spans() * workload.threads() * workload.runs()) as f64;
    Ok(Counts {
        allocations: counted.count as f64 / spans,
        allocated_bytes: counted.bytes as f64 / spans,
    })
}

/// The end of a peer's pipeline.
enum Destination {
    Memory(Sink),
    Receiver(Receiver),
}

impl Destination {
    fn take_counts(&mut self) -> Result<(u64, u64), String> {
        match self {
            Self::Memory(sink) => Ok(sink.take_counts()),
            Self::Receiver(receiver) => receiver.take_counts(),
        }
    }

    fn take_requests(&mut self) -> Result<Vec<Vec<u8>>, String> {
        match self {
            Self::Memory(sink) => Ok(sink.take_requests().unwrap_or_default()),
            Self::Receiver(receiver) => receiver.take_requests(),
        }
    }
}

/// A peer whose output was checked, warmed up.
struct Bench {
    peer: Peer,
    workload: Workload,
    recorder: Recorder,
    second: Option<Threads>,
    destination: Destination,
}

/// What each recording thread does in a run; returns its processor time in nanoseconds.
#[derive(Clone)]
struct Recorder {
    client: Arc<dyn Client>,
    workload: Workload,
    times: Arc<AtomicU64>,
    /// The time of each call; `None` while calls are not timed.
    calls: Arc<Mutex<Option<Vec<u64>>>>,
}

impl Recorder {
    fn record(&self) -> u64 {
        let times = self.times.load(Ordering::Relaxed);
        let calls = || self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let timed = calls().is_some();
        let mut each = Vec::with_capacity(if timed { times as usize } else { 0 });
        let processor = ThreadTime::now();
        if timed {
            for _ in 0..times {
                let call = Instant::now();
                self.client.record(self.workload, 1);
                each.push(call.elapsed().as_nanos() as u64);
            }
        } else {
            self.client.record(self.workload, times);
        }
        self.client.flush_thread();
        let elapsed = processor.elapsed().as_nanos() as u64;
        if let Some(calls) = &mut *calls() {
            calls.append(&mut each);
        }
        elapsed
    }
}

impl Bench {
    fn new(peer: Peer, workload: Workload) -> Result<Self, String> {
        const WARM_UP: usize = 5;
        if let Some(obstacle) = peer.obstacle(workload) {
            return Err(obstacle.to_owned());
        }
        let (client, destination) = if peer.sends() {
            let receiver = Receiver::start()?;
            let client = peer.over_http(workload, receiver.url())?;
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
            peer,
            workload,
            recorder,
            second,
            destination,
        };
        bench.check()?;
        for _ in 0..WARM_UP {
            bench.run(bench.times())?;
        }
        bench.destination.take_counts()?;
        Ok(bench)
    }

    /// Returns how often each thread does the workload in a run whose spans fit every queue.
    fn times(&self) -> u64 {
        self.peer.spans() / self.workload.spans() / self.workload.threads()
    }

    /// Does what fits every queue, and decodes what is delivered.
    fn check(&mut self) -> Result<(), String> {
        self.run(self.times())?;
        let found = decode::found(&self.destination.take_requests()?)?;
        let times = self.times() * self.workload.threads();
        let expected = decode::expected(self.workload, self.peer.dialect(), times);
        if found == expected {
            Ok(())
        } else {
            Err(format!("expected {expected:#?}, found {found:#?}"))
        }
    }

    /// Records `times` times on each thread and flushes. Returns the processor time of the recording threads in nanoseconds.
    fn run(&self, times: u64) -> Result<u64, String> {
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

    /// Returns the 99.9th percentile of a call, in runs of its own: reading the clock for each call costs time.
    fn time_calls(&mut self) -> Result<f64, String> {
        let calls = Arc::clone(&self.recorder.calls);
        let lock = || calls.lock().unwrap_or_else(PoisonError::into_inner);
        *lock() = Some(Vec::new());
        for _ in 0..self.workload.runs() {
            self.run(self.times() * self.workload.excess())?;
            self.destination.take_counts()?;
        }
        let mut calls = lock().take().unwrap_or_default();
        calls.sort_unstable();
        let rank = (calls.len() * 999).div_ceil(1_000).max(1) - 1;
        Ok(calls.get(rank).copied().unwrap_or_default() as f64)
    }
}

fn median(samples: &mut [f64]) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}
