//! Faults of one collector that takes two signals at once: each signal's items are accounted for on their own.

use super::{BRIEF, LONG, MILLIS, Observed, Play, to};
use crate::collector::{Collector, Reply, vacant};
use crate::support::{batch, log_record, quick, span};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use zerospan_export::{DropCause, ExportStats, OtlpConfig, Pipeline, Protocol, Scope, Signal};
use zerospan_otlp::{LogsRequestView, RequestView};

const SIGNALS: [Signal; 2] = [Signal::Traces, Signal::Logs];

/// The items of each signal in each of two rounds.
const ITEMS: u64 = 10;

/// The timeout of requests that wait for it.
const TIMEOUT: Duration = Duration::from_millis(1500);

/// The outcomes of a fault for traces and for logs.
pub(crate) type ForBoth = [Observed; 2];

/// A fault of a collector that takes both signals, and the promise that is checked while it is played.
pub(crate) type ScenarioOfBoth = fn(Protocol) -> ForBoth;

pub(crate) const FAULTS_FOR_BOTH: &[ScenarioOfBoth] = &[
    collector_for_both_down_at_start,
    collector_for_both_restarted,
    both_hang,
    both_throttled,
    both_unavailable,
    both_refused,
    both_rejected_in_part,
    logs_refused_and_traces_taken,
    logs_hang_and_traces_go_on,
    traces_unavailable_and_logs_taken,
    both_lose_items_of_four_threads_each,
    both_shut_down_during_an_outage,
];

/// The end of the items of a signal.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    delivered: u64,
    rejected: u64,
    dropped: u64,
}

impl Outcome {
    const ALL: Self = Self {
        delivered: 2 * ITEMS,
        rejected: 0,
        dropped: 0,
    };
    const SECOND_ROUND: Self = Self {
        delivered: ITEMS,
        rejected: 0,
        dropped: ITEMS,
    };
    const NONE: Self = Self {
        delivered: 0,
        rejected: 0,
        dropped: 2 * ITEMS,
    };

    fn of(stats: &ExportStats) -> Self {
        assert_eq!(stats.pending(), 0, "{stats:?}");
        Self {
            delivered: stats.delivered,
            rejected: stats.rejected,
            dropped: stats.dropped.total(),
        }
    }
}

/// A pipeline for each signal, and one collector for both.
struct Both {
    play: Play,
    pipelines: [Pipeline; 2],
}

impl Both {
    fn new(
        fault: &'static str,
        protocol: Protocol,
        config: impl Fn(Signal) -> OtlpConfig,
        timeout: Duration,
    ) -> Self {
        let pipelines = SIGNALS.map(|signal| {
            quick()
                .with_signal(signal)
                .with_otlp(config(signal))
                .with_timeout(timeout)
                .build()
                .unwrap()
        });
        Self {
            play: Play::new(fault, protocol),
            pipelines,
        }
    }

    /// Records these items of each signal and flushes both at once, whatever comes of it.
    fn round(&self, numbers: Range<u64>) {
        std::thread::scope(|threads| {
            for pipeline in &self.pipelines {
                let numbers = numbers.clone();
                threads.spawn(move || {
                    record_items(pipeline, &self.play.scope, numbers);
                    let _ = pipeline.force_flush(LONG);
                });
            }
        });
    }

    /// Asserts the outcome of each signal, and that the collector took exactly the items that are delivered or rejected.
    fn end(self, collector: &[&Collector], expected: impl Fn(Signal) -> Outcome) -> ForBoth {
        for pipeline in &self.pipelines {
            let (signal, stats) = (pipeline.signal(), pipeline.stats());
            assert_eq!(Outcome::of(&stats), expected(signal), "{signal}: {stats:?}");
            let taken: u64 = collector
                .iter()
                .flat_map(|collector| collector.requests_of(signal))
                .map(|request| numbers(signal, &request).len() as u64)
                .sum();
            assert_eq!(taken, stats.delivered + stats.rejected, "{signal}");
        }
        let Self { play, pipelines } = self;
        pipelines.map(|pipeline| play.observe(&pipeline))
    }
}

/// Plays two rounds against a collector with this script.
fn play(
    fault: &'static str,
    protocol: Protocol,
    timeout: Duration,
    reply: impl Fn(Signal, usize) -> Reply + Send + Sync + 'static,
    expected: impl Fn(Signal) -> Outcome,
) -> ForBoth {
    let collector = Collector::scripted_by_signal(protocol, reply);
    let config = |signal| collector.config_for(signal);
    let both = Both::new(fault, protocol, config, timeout);
    both.round(0..ITEMS);
    both.round(ITEMS..2 * ITEMS);
    both.end(&[&collector], expected)
}

fn record_items(pipeline: &Pipeline, scope: &Scope, numbers: Range<u64>) {
    for number in numbers {
        let item = match pipeline.signal() {
            Signal::Logs => log_record(number),
            _ => span(number, 100),
        };
        // The statistics count losses.
        let _ = pipeline.record_encoded(scope, &item);
    }
}

/// Returns the numbers of the items of a request. Panics if it is malformed, or is one of another signal.
fn numbers(signal: Signal, request: &[u8]) -> Vec<u64> {
    let mut ids: Vec<[u8; 8]> = Vec::new();
    if signal == Signal::Logs {
        let request = LogsRequestView::new(request);
        request.validate().unwrap();
        for resource in request.resource_logs() {
            for scope in resource.unwrap().scope_logs() {
                for record in scope.unwrap().log_records() {
                    ids.push(record.unwrap().span_id().try_into().unwrap());
                }
            }
        }
    } else {
        let request = RequestView::new(request);
        request.validate().unwrap();
        for resource in request.resource_spans() {
            for scope in resource.unwrap().scope_spans() {
                for span in scope.unwrap().spans() {
                    ids.push(span.unwrap().span_id().try_into().unwrap());
                }
            }
        }
    }
    ids.into_iter()
        .map(|id| u64::from_be_bytes(id) - 1)
        .collect()
}

fn busy(throttled: bool, wait: Option<Duration>) -> Reply {
    Reply::Busy { throttled, wait }
}

pub(crate) fn collector_for_both_down_at_start(protocol: Protocol) -> ForBoth {
    let address = vacant();
    let config = |signal: Signal| to(protocol, format!("http://{address}/{}", signal.path()));
    let both = Both::new("down at start", protocol, config, TIMEOUT);
    both.round(0..ITEMS);
    for pipeline in &both.pipelines {
        assert_eq!(pipeline.stats().dropped.by(DropCause::Unreachable), ITEMS);
    }
    let collector = Collector::at(address, protocol, None, |_| Reply::Take);
    both.round(ITEMS..2 * ITEMS);
    both.end(&[&collector], |_| Outcome::SECOND_ROUND)
}

pub(crate) fn collector_for_both_restarted(protocol: Protocol) -> ForBoth {
    let first = Collector::scripted_by_signal(protocol, |_, call| match call {
        0 => Reply::Take,
        _ => Reply::Hang,
    });
    let address = first.address;
    let config = |signal: Signal| first.config_for(signal);
    let both = Both::new("killed mid-batch, restarted", protocol, config, LONG);
    both.round(0..ITEMS);
    let requests = SIGNALS.map(|signal| first.requests_of(signal).len());
    assert_eq!(requests, [1, 1], "each signal has its own request");
    for pipeline in &both.pipelines {
        record_items(pipeline, &both.play.scope, ITEMS..2 * ITEMS);
        assert!(pipeline.force_flush(MILLIS(30)).is_err());
    }
    // The second request of each signal hangs in the first collector when that is killed.
    let until = Instant::now() + LONG;
    while first.calls() < 4 && Instant::now() < until {
        std::thread::sleep(MILLIS(1));
    }
    let taken = SIGNALS.map(|signal| {
        let requests = first.requests_of(signal);
        requests.iter().flat_map(|one| numbers(signal, one)).count() as u64
    });
    assert_eq!(taken, [ITEMS, ITEMS]);
    drop(first);
    let second = Collector::at(address, protocol, None, |_| Reply::Take);
    for pipeline in &both.pipelines {
        assert_eq!(pipeline.force_flush(LONG), Ok(()));
        let signal = pipeline.signal();
        let requests = second.requests_of(signal);
        let arrived: Vec<u64> = requests
            .iter()
            .flat_map(|one| numbers(signal, one))
            .collect();
        assert_eq!(arrived, (ITEMS..2 * ITEMS).collect::<Vec<_>>());
        assert_eq!(Outcome::of(&pipeline.stats()), Outcome::ALL);
    }
    let Both { play, pipelines } = both;
    pipelines.map(|pipeline| play.observe(&pipeline))
}

pub(crate) fn both_hang(protocol: Protocol) -> ForBoth {
    let script = |_, call| match call {
        0 => Reply::Hang,
        _ => Reply::Take,
    };
    play(
        "hangs: accepts, never answers",
        protocol,
        TIMEOUT,
        script,
        |_| Outcome::SECOND_ROUND,
    )
}

pub(crate) fn both_throttled(protocol: Protocol) -> ForBoth {
    let collector = Collector::scripted_by_signal(protocol, |_, call| match call {
        0 => busy(true, Some(Duration::from_secs(1))),
        _ => Reply::Take,
    });
    let config = |signal| collector.config_for(signal);
    let both = Both::new("throttled, with a delay of 1 s", protocol, config, LONG);
    both.round(0..2 * ITEMS);
    let waited = both.play.start.elapsed();
    assert!((MILLIS(1000)..BRIEF).contains(&waited), "{waited:?}");
    both.end(&[&collector], |_| Outcome::ALL)
}

pub(crate) fn both_unavailable(protocol: Protocol) -> ForBoth {
    play(
        "always unavailable",
        protocol,
        TIMEOUT,
        |_, _| busy(false, None),
        |_| Outcome::NONE,
    )
}

pub(crate) fn both_refused(protocol: Protocol) -> ForBoth {
    play(
        "refused",
        protocol,
        LONG,
        |_, _| Reply::Refuse,
        |_| Outcome::NONE,
    )
}

/// Two spans and three log records of each request.
pub(crate) fn both_rejected_in_part(protocol: Protocol) -> ForBoth {
    fn rejected(signal: Signal) -> u64 {
        if signal == Signal::Logs { 3 } else { 2 }
    }
    let script = |signal, _| Reply::TakeBut(rejected(signal) as i64);
    play(
        "partial success, 2 and 3 of 10",
        protocol,
        LONG,
        script,
        |signal| Outcome {
            delivered: 2 * (ITEMS - rejected(signal)),
            rejected: 2 * rejected(signal),
            dropped: 0,
        },
    )
}

pub(crate) fn logs_refused_and_traces_taken(protocol: Protocol) -> ForBoth {
    let script = |signal, _| match signal {
        Signal::Logs => Reply::Refuse,
        _ => Reply::Take,
    };
    play(
        "logs refused, traces taken",
        protocol,
        LONG,
        script,
        |signal| match signal {
            Signal::Logs => Outcome::NONE,
            _ => Outcome::ALL,
        },
    )
}

pub(crate) fn logs_hang_and_traces_go_on(protocol: Protocol) -> ForBoth {
    let collector = Collector::scripted_by_signal(protocol, |signal, _| match signal {
        Signal::Logs => Reply::Hang,
        _ => Reply::Take,
    });
    let config = |signal| collector.config_for(signal);
    let both = Both::new("logs hang, traces go on", protocol, config, 2 * TIMEOUT);
    let [traces, logs] = &both.pipelines;
    record_items(logs, &both.play.scope, 0..2 * ITEMS);
    assert!(logs.force_flush(MILLIS(50)).is_err());
    record_items(traces, &both.play.scope, 0..2 * ITEMS);
    assert_eq!(traces.force_flush(LONG), Ok(()));
    assert_eq!(logs.stats().pending(), 2 * ITEMS, "they still hang");
    let _ = logs.force_flush(LONG);
    assert_eq!(logs.stats().dropped.by(DropCause::TimedOut), 2 * ITEMS);
    both.end(&[&collector], |signal| match signal {
        Signal::Logs => Outcome::NONE,
        _ => Outcome::ALL,
    })
}

pub(crate) fn traces_unavailable_and_logs_taken(protocol: Protocol) -> ForBoth {
    let script = |signal, _| match signal {
        Signal::Logs => Reply::Take,
        _ => busy(false, None),
    };
    play(
        "traces unavailable, logs taken",
        protocol,
        TIMEOUT,
        script,
        |signal| match signal {
            Signal::Logs => Outcome::ALL,
            _ => Outcome::NONE,
        },
    )
}

/// Four threads record each signal, while the collector takes, rejects, refuses and asks for patience in turns.
pub(crate) fn both_lose_items_of_four_threads_each(protocol: Protocol) -> ForBoth {
    const EACH: u64 = 1000;
    /// The replies of one period, after which a request is no longer sent.
    const PERIOD: usize = 5;
    let refused = Arc::new(Mutex::new(HashMap::<Signal, usize>::new()));
    let collector = Collector::scripted_by_signal(protocol, {
        let refused = Arc::clone(&refused);
        move |signal, call| match call % PERIOD {
            0 => Reply::TakeBut(1),
            1 => busy(false, None),
            3 => {
                *refused.lock().unwrap().entry(signal).or_default() += 1;
                Reply::Refuse
            }
            _ => Reply::Take,
        }
    });
    let play = Play::new("mixed faults, 8 threads", protocol);
    let pipelines = SIGNALS.map(|signal| {
        quick()
            .with_signal(signal)
            .with_otlp(collector.config_for(signal))
            .with_timeout(LONG)
            .with_batch(batch(|batch| {
                batch.max_queue_size = Some(4 * EACH as usize);
                batch.max_export_batch_size = Some(100);
            }))
            .build()
            .unwrap()
    });
    std::thread::scope(|threads| {
        for pipeline in &pipelines {
            for thread in 0..4 {
                let scope = &play.scope;
                threads.spawn(move || {
                    record_items(pipeline, scope, thread * EACH..(thread + 1) * EACH);
                    let _ = pipeline.force_flush(LONG);
                });
            }
        }
    });
    for pipeline in &pipelines {
        let _ = pipeline.force_flush(LONG);
        let (signal, stats) = (pipeline.signal(), pipeline.stats());
        let outcome = Outcome::of(&stats);
        assert_eq!(stats.recorded, 4 * EACH, "{signal}: {stats:?}");
        let requests = collector.requests_of(signal);
        let mut taken: Vec<u64> = requests
            .iter()
            .flat_map(|one| numbers(signal, one))
            .collect();
        assert_eq!(taken.len() as u64, outcome.delivered + outcome.rejected);
        taken.sort_unstable();
        taken.dedup();
        assert_eq!(
            taken.len() as u64,
            outcome.delivered + outcome.rejected,
            "none twice"
        );
        assert_eq!(stats.dropped.by(DropCause::Refused), outcome.dropped);
        assert!(outcome.rejected > 0 && outcome.dropped > 0, "{stats:?}");
        let refused = refused.lock().unwrap()[&signal] as u64;
        assert_eq!(stats.requests, requests.len() as u64 + refused, "{stats:?}");
    }
    pipelines.map(|pipeline| play.observe(&pipeline))
}

pub(crate) fn both_shut_down_during_an_outage(protocol: Protocol) -> ForBoth {
    let address = vacant();
    let config = |signal: Signal| to(protocol, format!("http://{address}/{}", signal.path()));
    let both = Both::new("shutdown during an outage", protocol, config, LONG);
    std::thread::scope(|threads| {
        for pipeline in &both.pipelines {
            let scope = &both.play.scope;
            threads.spawn(move || {
                record_items(pipeline, scope, 0..2 * ITEMS);
                let start = Instant::now();
                assert!(pipeline.shutdown(MILLIS(200)).is_err());
                assert!(start.elapsed() < BRIEF, "{:?}", start.elapsed());
                // Recorded too late, and counted.
                record_items(pipeline, scope, 0..1);
                crate::support::eventually(pipeline, |stats| stats.pending() == 0);
            });
        }
    });
    both.end(&[], |_| Outcome {
        delivered: 0,
        rejected: 0,
        dropped: 2 * ITEMS + 1,
    })
}
