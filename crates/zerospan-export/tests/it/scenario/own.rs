//! Faults of the pipeline's own: a full queue, its end, its transport, its threads.

use super::{BRIEF, LONG, MILLIS, Observed, Play, ids, to};
use crate::collector::{Collector, Reply, vacant};
use crate::support::{batch, eventually, quick, record, span, without_cause};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;
use zerospan_export::{
    DropCause, ExportResponse, FlushError, Protocol, Request, RetryPolicy, SendError,
    ShutdownError, Signal, Transport,
};

pub(crate) fn full_queue_from_four_producers(protocol: Protocol) -> Observed {
    let play = Play::new("full queue, 4 producers", protocol);
    let release = Arc::new(AtomicBool::new(false));
    let collector = Collector::scripted(protocol, {
        let release = Arc::clone(&release);
        move |_| match release.load(Ordering::SeqCst) {
            true => Reply::Take,
            false => Reply::Busy {
                throttled: false,
                wait: None,
            },
        }
    });
    let pipeline = quick()
        .with_otlp(collector.config())
        .with_timeout(LONG)
        .with_batch(batch(|batch| {
            batch.max_queue_size = Some(1000);
            batch.max_export_batch_size = Some(100);
        }))
        .build()
        .unwrap();
    let gate = std::sync::Barrier::new(5);
    std::thread::scope(|threads| {
        for producer in 0..4 {
            let (pipeline, scope, gate) = (&pipeline, &play.scope, &gate);
            threads.spawn(move || {
                let first = producer * 2000;
                let taken = record(pipeline, scope, first..first + 2000);
                assert!(taken < 2000);
                gate.wait();
                gate.wait();
            });
        }
        gate.wait();
        let stats = pipeline.stats();
        assert!(stats.is_balanced(), "{stats:?}");
        assert_eq!(stats.recorded, 8000);
        assert!(stats.queued <= 1000, "{stats:?}");
        // A request, the queue, and a chunk for each producer.
        assert!(stats.pending() <= 100 + 1000 + 4 * 100, "{stats:?}");
        assert_eq!(
            stats.dropped.by(DropCause::QueueFull),
            8000 - stats.pending()
        );
        release.store(true, Ordering::SeqCst);
        assert_eq!(pipeline.force_flush(LONG), Ok(()));
        gate.wait();
    });
    let stats = pipeline.stats();
    assert_eq!(stats.delivered, ids(&collector).len() as u64);
    assert_eq!(
        stats.delivered + stats.dropped.by(DropCause::QueueFull),
        8000
    );
    play.end(&pipeline)
}

pub(crate) fn shutdown_during_an_outage(protocol: Protocol) -> Observed {
    let play = Play::new("shutdown during an outage", protocol);
    let url = format!("http://{}/v1/traces", vacant());
    let pipeline = quick()
        .with_otlp(to(protocol, url))
        .with_timeout(LONG)
        .with_retry(RetryPolicy::default().with_waits(MILLIS(50), MILLIS(100)))
        .build()
        .unwrap();
    record(&pipeline, &play.scope, 0..1000);
    let start = Instant::now();
    let ended = pipeline.shutdown(MILLIS(200));
    let took = start.elapsed();
    assert!((MILLIS(50)..BRIEF).contains(&took), "{took:?}");
    assert!(
        matches!(ended, Err(ShutdownError::Lost { .. })),
        "{ended:?}"
    );
    let stats = eventually(&pipeline, |stats| stats.pending() == 0);
    assert_eq!(stats.pending(), 0, "{stats:?}");
    // Two requests: one or both were tried, and what was not is dropped when the time is over.
    let (unreachable, out_of_time) = (
        stats.dropped.by(DropCause::Unreachable),
        stats.dropped.by(DropCause::ShutdownTimeout),
    );
    assert_eq!(unreachable + out_of_time, 1000, "{stats:?}");
    play.end(&pipeline)
}

pub(crate) fn drop_without_shutdown(protocol: Protocol) -> Observed {
    let play = Play::new("drop without shutdown", protocol);
    let collector = Collector::start(protocol);
    let pipeline = quick()
        .with_otlp(collector.config())
        .with_timeout(LONG)
        .build()
        .unwrap();
    record(&pipeline, &play.scope, 0..700);
    let watch = pipeline.watch();
    drop(pipeline);
    assert_eq!(ids(&collector), (0..700).collect::<Vec<_>>());
    let stats = watch.stats();
    assert!(stats.is_balanced());
    assert_eq!((stats.recorded, stats.delivered), (700, 700));
    Observed {
        fault: play.fault,
        protocol: play.protocol,
        signal: Signal::Traces,
        stats,
        elapsed: play.start.elapsed(),
    }
}

pub(crate) fn drop_without_shutdown_in_an_outage(protocol: Protocol) -> Observed {
    let play = Play::new("drop without shutdown, outage", protocol);
    let collector = Collector::scripted(protocol, |_| Reply::Hang);
    let pipeline = quick()
        .with_otlp(collector.config())
        .with_timeout(LONG)
        .with_drop_timeout(MILLIS(100))
        .build()
        .unwrap();
    record(&pipeline, &play.scope, 0..700);
    let watch = pipeline.watch();
    let start = Instant::now();
    drop(pipeline);
    // The default is 5 s.
    assert!(start.elapsed() < MILLIS(4500), "{:?}", start.elapsed());
    let until = Instant::now() + LONG;
    let mut stats = watch.stats();
    while stats.pending() > 0 && Instant::now() < until {
        std::thread::sleep(MILLIS(5));
        stats = watch.stats();
    }
    assert!(stats.is_balanced());
    assert_eq!(
        (stats.recorded, stats.dropped.total(), stats.pending()),
        (700, 700, 0)
    );
    Observed {
        fault: play.fault,
        protocol: play.protocol,
        signal: Signal::Traces,
        stats,
        elapsed: play.start.elapsed(),
    }
}

/// Panics over each request that holds an odd number of spans, and when it is dropped after that.
struct Panicking {
    counted: Arc<AtomicUsize>,
    panicked: bool,
}

impl Transport for Panicking {
    fn send(&mut self, request: &Request<'_>) -> Result<ExportResponse, SendError> {
        if request.items % 2 == 1 {
            self.panicked = true;
            panic!("{} spans are odd", request.items);
        }
        self.counted.fetch_add(request.items, Ordering::SeqCst);
        Ok(ExportResponse::ALL)
    }
}

impl Drop for Panicking {
    fn drop(&mut self) {
        assert!(!self.panicked, "it panics again");
    }
}

pub(crate) fn transport_that_panics() -> Observed {
    let mut play = Play::new("transport that panics", Protocol::HttpProtobuf);
    play.protocol = "-";
    let counted = Arc::new(AtomicUsize::new(0));
    let pipeline = quick()
        .with_transport({
            let counted = Arc::clone(&counted);
            move || {
                Ok(Panicking {
                    counted: Arc::clone(&counted),
                    panicked: false,
                })
            }
        })
        .build()
        .unwrap();
    for (spans, outcome) in [
        (4, Ok(())),
        (
            3,
            Err(FlushError::Lost {
                signal: Signal::Traces,
                lost: 3,
                cause: None,
            }),
        ),
        (6, Ok(())),
        (
            5,
            Err(FlushError::Lost {
                signal: Signal::Traces,
                lost: 5,
                cause: None,
            }),
        ),
        (2, Ok(())),
    ] {
        record(&pipeline, &play.scope, 0..spans);
        assert_eq!(without_cause(pipeline.force_flush(LONG)), outcome);
    }
    let stats = pipeline.stats();
    assert_eq!(stats.delivered, 12);
    assert_eq!(stats.dropped.by(DropCause::TransportPanic), 8);
    assert_eq!(counted.load(Ordering::SeqCst), 12);
    play.end(&pipeline)
}

pub(crate) fn thread_exit_with_spans_in_its_chunk() -> Observed {
    let mut play = Play::new("thread exit with spans", Protocol::HttpProtobuf);
    play.protocol = "http";
    let collector = Collector::start(Protocol::HttpProtobuf);
    let pipeline = quick()
        .with_otlp(collector.config())
        .with_timeout(LONG)
        .build()
        .unwrap();
    let (of_thread, scope) = (pipeline.clone(), play.scope.clone());
    std::thread::spawn(move || of_thread.record_encoded(&scope, &span(7, 10)).unwrap())
        .join()
        .unwrap();
    assert_eq!(pipeline.stats().threads, 0);
    assert_eq!(pipeline.force_flush(LONG), Ok(()));
    assert_eq!(ids(&collector), [7]);
    play.end(&pipeline)
}
