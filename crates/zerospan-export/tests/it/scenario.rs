//! Faults of a collector and their effect on the counts. The example `faults` prints them as a table.

// With paths, since the example `faults` has this file as a module too.
#[path = "scenario/both.rs"]
pub(crate) mod both;
#[cfg(unix)]
#[path = "scenario/fork.rs"]
mod fork;
#[path = "scenario/own.rs"]
mod own;

#[cfg(unix)]
pub(crate) use fork::{
    a_child_drops_what_it_inherited_and_the_parent_goes_on, after_fork_the_child_starts_clean,
};
pub(crate) use own::{
    drop_without_shutdown, drop_without_shutdown_in_an_outage, full_queue_from_four_producers,
    shutdown_during_an_outage, thread_exit_with_spans_in_its_chunk, transport_that_panics,
};

use crate::collector::{Authority, Collector, Reply, vacant};
use crate::support::{BRIEF, LONG, quick, received, record, scope, without_cause};
use std::time::{Duration, Instant};
use zerospan_export::{
    BatchConfig, DropCause, ExportStats, FlushError, OtlpConfig, Pipeline, Protocol, Scope, Signal,
};

const MILLIS: fn(u64) -> Duration = Duration::from_millis;

/// The effect of a fault.
pub(crate) struct Observed {
    pub(crate) fault: &'static str,
    pub(crate) protocol: &'static str,
    pub(crate) signal: Signal,
    pub(crate) stats: ExportStats,
    pub(crate) elapsed: Duration,
}

/// A fault, and the promise that is checked while it is played.
pub(crate) type Scenario = fn(Protocol) -> Observed;

/// Faults that both protocols have.
pub(crate) const COLLECTOR_FAULTS: &[Scenario] = &[
    collector_down_at_start,
    collector_killed_and_restarted,
    collector_hangs,
    collector_answers_too_late,
    collector_resets_connections,
    throttled_with_a_delay,
    throttled_without_a_delay,
    always_unavailable,
    refused,
    partial_success,
    garbage,
    oversized_answer,
    wrong_certificate,
    name_that_does_not_resolve,
    full_queue_from_four_producers,
    shutdown_during_an_outage,
    drop_without_shutdown,
    drop_without_shutdown_in_an_outage,
    #[cfg(unix)]
    after_fork_the_child_starts_clean,
    #[cfg(unix)]
    a_child_drops_what_it_inherited_and_the_parent_goes_on,
];

/// Faults of the pipeline itself.
pub(crate) const PIPELINE_FAULTS: &[fn() -> Observed] =
    &[transport_that_panics, thread_exit_with_spans_in_its_chunk];

struct Play {
    fault: &'static str,
    protocol: &'static str,
    start: Instant,
    scope: Scope,
}

impl Play {
    fn new(fault: &'static str, protocol: Protocol) -> Self {
        Self {
            fault,
            protocol: match protocol {
                Protocol::HttpProtobuf => "http",
                _ => "grpc",
            },
            start: Instant::now(),
            scope: scope("faults"),
        }
    }

    /// Asserts what holds after every fault.
    fn end(self, pipeline: &Pipeline) -> Observed {
        self.observe(pipeline)
    }

    /// Like [`end`](Self::end), for one of several pipelines.
    fn observe(&self, pipeline: &Pipeline) -> Observed {
        let stats = pipeline.stats();
        assert!(stats.is_balanced(), "{stats:?}");
        assert!(
            stats.chunk_bytes <= BatchConfig::default().max_memory_bytes as u64,
            "{stats:?}"
        );
        Observed {
            fault: self.fault,
            protocol: self.protocol,
            signal: pipeline.signal(),
            stats,
            elapsed: self.start.elapsed(),
        }
    }
}

fn to(protocol: Protocol, url: impl Into<String>) -> OtlpConfig {
    OtlpConfig::new().with_protocol(protocol).with_endpoint(url)
}

fn ids(collector: &Collector) -> Vec<u64> {
    let mut ids: Vec<u64> = received(&collector.requests())
        .into_values()
        .flatten()
        .collect();
    ids.sort_unstable();
    ids
}

/// A flush that loses `spans` spans for `cause`, and does not wait for longer than the timeout of the request.
fn loses(pipeline: &Pipeline, spans: u64, cause: DropCause) {
    let start = Instant::now();
    assert_eq!(
        without_cause(pipeline.force_flush(LONG)),
        Err(FlushError::Lost {
            signal: Signal::Traces,
            lost: spans,
            cause: None,
        })
    );
    assert!(start.elapsed() < BRIEF, "{:?}", start.elapsed());
    let stats = pipeline.stats();
    assert_eq!(stats.dropped.by(cause), spans, "{stats:?}");
    assert_eq!(stats.pending(), 0);
}

pub(crate) fn collector_down_at_start(protocol: Protocol) -> Observed {
    let play = Play::new("collector down at start", protocol);
    let address = vacant();
    let url = format!("http://{address}/v1/traces");
    let pipeline = quick().with_otlp(to(protocol, url)).build().unwrap();
    record(&pipeline, &play.scope, 0..10);
    loses(&pipeline, 10, DropCause::Unreachable);
    let collector = Collector::at(address, protocol, None, |_| Reply::Take);
    record(&pipeline, &play.scope, 10..20);
    assert_eq!(pipeline.force_flush(LONG), Ok(()));
    assert_eq!(ids(&collector), (10..20).collect::<Vec<_>>());
    assert_eq!(pipeline.stats().delivered, 10);
    play.end(&pipeline)
}

pub(crate) fn collector_killed_and_restarted(protocol: Protocol) -> Observed {
    let play = Play::new("killed mid-batch, restarted", protocol);
    let first = Collector::scripted(protocol, |call| match call {
        0 => Reply::Take,
        _ => Reply::Hang,
    });
    let address = first.address;
    let pipeline = quick()
        .with_otlp(first.config())
        .with_timeout(LONG)
        .build()
        .unwrap();
    record(&pipeline, &play.scope, 0..10);
    assert_eq!(pipeline.force_flush(LONG), Ok(()));
    record(&pipeline, &play.scope, 10..20);
    assert_eq!(
        without_cause(pipeline.force_flush(MILLIS(50))),
        Err(FlushError::TimedOut {
            signal: Signal::Traces,
            pending: 10,
            cause: None,
        })
    );
    // The second request hangs in the first collector when that is killed.
    let until = Instant::now() + LONG;
    while first.calls() < 2 && Instant::now() < until {
        std::thread::sleep(MILLIS(1));
    }
    assert_eq!(ids(&first), (0..10).collect::<Vec<_>>());
    drop(first);
    let second = Collector::at(address, protocol, None, |_| Reply::Take);
    assert_eq!(pipeline.force_flush(LONG), Ok(()));
    assert_eq!(ids(&second), (10..20).collect::<Vec<_>>());
    assert_eq!(pipeline.stats().delivered, 20);
    play.end(&pipeline)
}

pub(crate) fn collector_hangs(protocol: Protocol) -> Observed {
    let play = Play::new("hangs: accepts, never answers", protocol);
    let collector = Collector::scripted(protocol, |call| match call {
        0 => Reply::Hang,
        _ => Reply::Take,
    });
    let pipeline = quick().with_otlp(collector.config()).build().unwrap();
    record(&pipeline, &play.scope, 0..10);
    loses(&pipeline, 10, DropCause::TimedOut);
    record(&pipeline, &play.scope, 10..20);
    assert_eq!(pipeline.force_flush(LONG), Ok(()));
    assert_eq!(pipeline.stats().delivered, 10);
    play.end(&pipeline)
}

pub(crate) fn collector_answers_too_late(protocol: Protocol) -> Observed {
    let play = Play::new("answers past the timeout", protocol);
    let collector = Collector::scripted(protocol, |call| match call {
        0 => Reply::Late(LONG),
        _ => Reply::Take,
    });
    let pipeline = quick().with_otlp(collector.config()).build().unwrap();
    record(&pipeline, &play.scope, 0..10);
    loses(&pipeline, 10, DropCause::TimedOut);
    assert!(
        play.start.elapsed() < BRIEF,
        "the attempt in flight was cancelled"
    );
    record(&pipeline, &play.scope, 10..20);
    assert_eq!(pipeline.force_flush(LONG), Ok(()));
    play.end(&pipeline)
}

pub(crate) fn collector_resets_connections(protocol: Protocol) -> Observed {
    let play = Play::new("resets connections, twice", protocol);
    // Two connections are reset by one who does not even read the request, then the collector is there.
    let rude = Collector::scripted(Protocol::HttpProtobuf, |_| Reply::Reset);
    let address = rude.address;
    let url = format!("http://{address}/v1/traces");
    let pipeline = quick()
        .with_otlp(to(protocol, url))
        .with_timeout(LONG)
        .build()
        .unwrap();
    record(&pipeline, &play.scope, 0..10);
    assert!(pipeline.force_flush(MILLIS(30)).is_err());
    let until = Instant::now() + LONG;
    while rude.calls() < 2 && Instant::now() < until {
        std::thread::sleep(MILLIS(1));
    }
    assert!(rude.calls() >= 2);
    drop(rude);
    let collector = Collector::at(address, protocol, None, |_| Reply::Take);
    assert_eq!(pipeline.force_flush(LONG), Ok(()));
    assert_eq!(ids(&collector), (0..10).collect::<Vec<_>>());
    play.end(&pipeline)
}

pub(crate) fn throttled_with_a_delay(protocol: Protocol) -> Observed {
    let play = Play::new("throttled, with a delay of 1 s", protocol);
    let collector = Collector::scripted(protocol, |call| match call {
        0 => Reply::Busy {
            throttled: true,
            wait: Some(Duration::from_secs(1)),
        },
        _ => Reply::Take,
    });
    let pipeline = quick()
        .with_otlp(collector.config())
        .with_timeout(LONG)
        .build()
        .unwrap();
    record(&pipeline, &play.scope, 0..10);
    assert_eq!(pipeline.force_flush(LONG), Ok(()));
    let waited = play.start.elapsed();
    assert!((MILLIS(1000)..BRIEF).contains(&waited), "{waited:?}");
    assert_eq!(pipeline.stats().attempts, 2);
    play.end(&pipeline)
}

pub(crate) fn throttled_without_a_delay(protocol: Protocol) -> Observed {
    let play = Play::new("throttled, without a delay", protocol);
    let collector = Collector::scripted(protocol, |call| match call {
        0..3 => Reply::Busy {
            throttled: true,
            wait: None,
        },
        _ => Reply::Take,
    });
    let pipeline = quick()
        .with_otlp(collector.config())
        .with_timeout(LONG)
        .build()
        .unwrap();
    record(&pipeline, &play.scope, 0..10);
    if protocol == Protocol::Grpc {
        // RESOURCE_EXHAUSTED without RetryInfo means that it is of no use to try again.
        loses(&pipeline, 10, DropCause::Refused);
        assert_eq!(pipeline.stats().attempts, 1);
    } else {
        assert_eq!(pipeline.force_flush(LONG), Ok(()));
        assert_eq!(pipeline.stats().attempts, 4);
    }
    play.end(&pipeline)
}

pub(crate) fn always_unavailable(protocol: Protocol) -> Observed {
    let play = Play::new("always unavailable", protocol);
    let collector = Collector::scripted(protocol, |_| Reply::Busy {
        throttled: false,
        wait: None,
    });
    let pipeline = quick().with_otlp(collector.config()).build().unwrap();
    record(&pipeline, &play.scope, 0..10);
    loses(&pipeline, 10, DropCause::Unavailable);
    let stats = pipeline.stats();
    assert_eq!(stats.requests, 1);
    assert!(stats.attempts > 5, "{stats:?}");
    play.end(&pipeline)
}

pub(crate) fn refused(protocol: Protocol) -> Observed {
    let play = Play::new("refused", protocol);
    let collector = Collector::scripted(protocol, |_| Reply::Refuse);
    let pipeline = quick()
        .with_otlp(collector.config())
        .with_timeout(LONG)
        .build()
        .unwrap();
    record(&pipeline, &play.scope, 0..10);
    loses(&pipeline, 10, DropCause::Refused);
    assert_eq!(pipeline.stats().attempts, 1, "a refusal is not tried again");
    play.end(&pipeline)
}

pub(crate) fn partial_success(protocol: Protocol) -> Observed {
    let play = Play::new("partial success, 3 of 10 rejected", protocol);
    let collector = Collector::scripted(protocol, |_| Reply::TakeBut(3));
    let pipeline = quick()
        .with_otlp(collector.config())
        .with_timeout(LONG)
        .build()
        .unwrap();
    record(&pipeline, &play.scope, 0..10);
    assert_eq!(
        without_cause(pipeline.force_flush(LONG)),
        Err(FlushError::Lost {
            signal: Signal::Traces,
            lost: 3,
            cause: None,
        })
    );
    let stats = pipeline.stats();
    assert_eq!((stats.delivered, stats.rejected, stats.attempts), (7, 3, 1));
    play.end(&pipeline)
}

pub(crate) fn garbage(protocol: Protocol) -> Observed {
    let play = Play::new("answers with garbage", protocol);
    let collector = Collector::scripted(Protocol::HttpProtobuf, |_| Reply::Garbage);
    let url = format!("http://{}/v1/traces", collector.address);
    let pipeline = quick().with_otlp(to(protocol, url)).build().unwrap();
    record(&pipeline, &play.scope, 0..10);
    assert_eq!(
        without_cause(pipeline.force_flush(LONG)),
        Err(FlushError::Lost {
            signal: Signal::Traces,
            lost: 10,
            cause: None,
        })
    );
    let stats = pipeline.stats();
    let (unreachable, timed_out) = (
        stats.dropped.by(DropCause::Unreachable),
        stats.dropped.by(DropCause::TimedOut),
    );
    assert_eq!(unreachable + timed_out, 10, "{stats:?}");
    assert!(play.start.elapsed() < BRIEF);
    play.end(&pipeline)
}

pub(crate) fn oversized_answer(protocol: Protocol) -> Observed {
    let play = Play::new("an answer of 8 MiB", protocol);
    let collector = Collector::scripted(protocol, |call| match call {
        0 => Reply::Endless,
        _ => Reply::Take,
    });
    let pipeline = quick()
        .with_otlp(collector.config())
        .with_timeout(LONG)
        .build()
        .unwrap();
    record(&pipeline, &play.scope, 0..10);
    loses(&pipeline, 10, DropCause::Unreachable);
    record(&pipeline, &play.scope, 10..20);
    assert_eq!(pipeline.force_flush(LONG), Ok(()));
    let stats = pipeline.stats();
    assert_eq!(
        (stats.delivered, stats.attempts),
        (10, 2),
        "nothing is sent twice"
    );
    play.end(&pipeline)
}

pub(crate) fn wrong_certificate(protocol: Protocol) -> Observed {
    let play = Play::new("certificate of a wrong authority", protocol);
    let collector = Collector::with_tls(protocol, &Authority::new(), false);
    let config = collector
        .config()
        .with_certificate_pem(Authority::new().pem.clone());
    let pipeline = quick().with_otlp(config).build().unwrap();
    record(&pipeline, &play.scope, 0..10);
    loses(&pipeline, 10, DropCause::Unreachable);
    assert_eq!(collector.calls(), 0);
    play.end(&pipeline)
}

pub(crate) fn name_that_does_not_resolve(protocol: Protocol) -> Observed {
    let play = Play::new("name that does not resolve", protocol);
    let config = to(protocol, "http://no-such-host.invalid:4318/v1/traces");
    let pipeline = quick().with_otlp(config).build().unwrap();
    record(&pipeline, &play.scope, 0..10);
    assert_eq!(
        without_cause(pipeline.force_flush(LONG)),
        Err(FlushError::Lost {
            signal: Signal::Traces,
            lost: 10,
            cause: None,
        })
    );
    assert!(play.start.elapsed() < BRIEF, "{:?}", play.start.elapsed());
    let stats = pipeline.stats();
    let (unreachable, timed_out) = (
        stats.dropped.by(DropCause::Unreachable),
        stats.dropped.by(DropCause::TimedOut),
    );
    assert_eq!(unreachable + timed_out, 10, "{stats:?}");
    play.end(&pipeline)
}
