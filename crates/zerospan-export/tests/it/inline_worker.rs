//! Pipelines without a worker.

use crate::support::{BRIEF, LONG, batch, quick, received, record, scope, without_cause};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;
use std::time::{Duration, Instant};
use zerospan_export::{
    DropCause, ExportResponse, FlushError, InMemoryTransport, Pipeline, Request, RetryHint,
    RetryPolicy, SendError, SendErrorKind, Signal, Transport,
};

#[test]
fn without_a_worker_only_a_flush_sends_and_on_its_own_thread() {
    let memory = InMemoryTransport::new();
    let senders = Arc::new(Mutex::new(HashSet::new()));
    struct Noting(InMemoryTransport, Arc<Mutex<HashSet<ThreadId>>>);
    impl Transport for Noting {
        fn send(&mut self, request: &Request<'_>) -> Result<ExportResponse, SendError> {
            self.1.lock().unwrap().insert(std::thread::current().id());
            self.0.send(request)
        }
    }
    let pipeline = quick()
        .with_transport({
            let (memory, senders) = (memory.clone(), Arc::clone(&senders));
            move || Ok(Noting(memory.clone(), Arc::clone(&senders)))
        })
        .without_worker()
        .with_batch(batch(|batch| batch.schedule_delay = Duration::ZERO))
        .build()
        .unwrap();
    record(&pipeline, &scope("hand"), 0..1500);
    std::thread::sleep(Duration::from_millis(20));
    assert!(memory.is_empty());
    assert_eq!(pipeline.force_flush(LONG), Ok(()));
    record(&pipeline, &scope("hand"), 1500..1600);
    assert_eq!(pipeline.shutdown(LONG), Ok(()));
    assert!(received(&memory.take())["hand"].iter().copied().eq(0..1600));
    let senders = senders.lock().unwrap();
    assert!(senders.len() == 1 && senders.contains(&std::thread::current().id()));
    let stats = pipeline.stats();
    assert!(stats.is_balanced());
    assert_eq!((stats.delivered, stats.pending()), (1600, 0));
}

#[test]
fn without_a_worker_a_flush_and_a_shutdown_end_with_their_timeout() {
    struct Failing;
    impl Transport for Failing {
        fn send(&mut self, _: &Request<'_>) -> Result<ExportResponse, SendError> {
            Err(SendError::unreachable("nobody there"))
        }
    }
    let pipeline = quick()
        .with_transport(|| Ok(Failing))
        .without_worker()
        .with_timeout(Duration::from_secs(60))
        .build()
        .unwrap();
    record(&pipeline, &scope("hand"), 0..1000);
    let start = Instant::now();
    assert!(pipeline.force_flush(Duration::from_millis(50)).is_err());
    record(&pipeline, &scope("hand"), 1000..1500);
    assert!(pipeline.shutdown(Duration::from_millis(50)).is_err());
    assert!(start.elapsed() < BRIEF, "{:?}", start.elapsed());
    let stats = pipeline.stats();
    assert!(stats.is_balanced(), "{stats:?}");
    assert_eq!(
        (stats.dropped.total(), stats.pending()),
        (1500, 0),
        "{stats:?}"
    );
}

/// Hangs until it is let go, whatever the deadline.
struct Hanging(Arc<Gate>);

#[derive(Default)]
struct Gate {
    entered: AtomicBool,
    open: AtomicBool,
}

impl Transport for Hanging {
    fn send(&mut self, _: &Request<'_>) -> Result<ExportResponse, SendError> {
        self.0.entered.store(true, Ordering::Release);
        while !self.0.open.load(Ordering::Acquire) {
            std::thread::sleep(Duration::from_millis(1));
        }
        Err(SendError::unreachable("let go"))
    }
}

#[test]
fn a_shutdown_beside_a_flush_that_hangs_ends_with_its_timeout_and_an_error() {
    let gate = Arc::new(Gate::default());
    let pipeline = quick()
        .with_transport({
            let gate = Arc::clone(&gate);
            move || Ok(Hanging(Arc::clone(&gate)))
        })
        .without_worker()
        .with_timeout(Duration::from_secs(60))
        .build()
        .unwrap();
    record(&pipeline, &scope("hand"), 0..1000);
    std::thread::scope(|scope| {
        let flush = scope.spawn(|| pipeline.force_flush(Duration::from_secs(60)));
        while !gate.entered.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        record(&pipeline, &self::scope("late"), 1000..1010);
        let start = Instant::now();
        let second = pipeline.force_flush(Duration::from_millis(100));
        assert!(
            matches!(second, Err(FlushError::TimedOut { .. })),
            "{second:?}"
        );
        let ended = pipeline.shutdown(Duration::from_millis(300));
        let elapsed = start.elapsed();
        gate.open.store(true, Ordering::Release);
        assert!(ended.is_err(), "{ended:?}");
        assert!(elapsed < BRIEF, "{elapsed:?}");
        assert!(flush.join().unwrap().is_err());
    });
    let stats = pipeline.stats();
    assert!(stats.is_balanced(), "{stats:?}");
    assert_eq!((stats.dropped.total(), stats.pending()), (1010, 0));
}

/// Hangs in the second request until it is let go, and takes each.
struct HangingInTheSecond {
    gate: Arc<Gate>,
    requests: usize,
    taken: InMemoryTransport,
}

impl Transport for HangingInTheSecond {
    fn send(&mut self, request: &Request<'_>) -> Result<ExportResponse, SendError> {
        self.requests += 1;
        if self.requests == 2 {
            let _ = Hanging(Arc::clone(&self.gate)).send(request);
        }
        self.taken.send(request)
    }
}

#[test]
fn the_rest_of_the_chunks_of_a_request_that_a_shutdown_ends_is_counted_exactly() {
    let gate = Arc::new(Gate::default());
    let taken = InMemoryTransport::default();
    let pipeline = quick()
        .with_transport({
            let (gate, taken) = (Arc::clone(&gate), taken.clone());
            move || {
                Ok(HangingInTheSecond {
                    gate: Arc::clone(&gate),
                    requests: 0,
                    taken: taken.clone(),
                })
            }
        })
        .with_batch(batch(|batch| batch.max_export_batch_size = Some(3)))
        .without_worker()
        .with_timeout(Duration::from_secs(60))
        .build()
        .unwrap();
    // Three runs in one chunk. The second request ends within the third.
    for (name, numbers) in [("a", 0..2), ("b", 2..5), ("c", 5..10)] {
        record(&pipeline, &scope(name), numbers);
    }
    std::thread::scope(|scope| {
        let flush = scope.spawn(|| pipeline.force_flush(Duration::from_secs(60)));
        // The flush has taken this thread's chunk.
        while !gate.entered.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        let ended = pipeline.shutdown(Duration::ZERO);
        gate.open.store(true, Ordering::Release);
        assert!(ended.is_err(), "{ended:?}");
        assert!(flush.join().unwrap().is_err());
    });
    let stats = pipeline.stats();
    assert!(stats.is_balanced(), "{stats:?}");
    assert_eq!((stats.delivered, stats.pending()), (6, 0), "{stats:?}");
    assert_eq!(stats.dropped.by(DropCause::ShutdownTimeout), 4, "{stats:?}");
    let received = received(&taken.take());
    assert_eq!(received.values().map(Vec::len).sum::<usize>(), 6);
}

#[test]
fn a_collector_that_asks_for_a_retry_at_once_gets_it_after_the_backoff() {
    struct AtOnce;
    impl Transport for AtOnce {
        fn send(&mut self, _: &Request<'_>) -> Result<ExportResponse, SendError> {
            let retry = RetryHint::After(Duration::ZERO);
            Err(SendError::new(SendErrorKind::Unavailable, retry, "at once"))
        }
    }
    let wait = Duration::from_millis(50);
    let pipeline = quick()
        .with_transport(|| Ok(AtOnce))
        .with_retry(RetryPolicy::default().with_waits(wait, wait))
        .with_timeout(20 * wait)
        .without_worker()
        .build()
        .unwrap();
    record(&pipeline, &scope("hostile"), 0..1);
    let flushed = pipeline.force_flush(LONG);
    assert_eq!(
        without_cause(flushed),
        Err(FlushError::Lost {
            signal: Signal::Traces,
            lost: 1,
            cause: None,
        })
    );
    // 1 s of 40 ms or more.
    let attempts = pipeline.stats().attempts;
    assert!((2..=26).contains(&attempts), "{attempts} attempts");
}

#[test]
fn a_transport_that_flushes_its_own_pipeline_waits_for_the_timeout_and_no_longer() {
    struct Flushing(Arc<Mutex<Option<Pipeline>>>, InMemoryTransport);
    impl Transport for Flushing {
        fn send(&mut self, request: &Request<'_>) -> Result<ExportResponse, SendError> {
            let pipeline = self.0.lock().unwrap().clone();
            let flushed = pipeline
                .expect("built")
                .force_flush(Duration::from_millis(20));
            assert!(matches!(flushed, Err(FlushError::TimedOut { .. })));
            self.1.send(request)
        }
    }
    let memory = InMemoryTransport::new();
    let own = Arc::new(Mutex::new(None));
    let pipeline = quick()
        .with_transport({
            let (own, memory) = (Arc::clone(&own), memory.clone());
            move || Ok(Flushing(Arc::clone(&own), memory.clone()))
        })
        .without_worker()
        .build()
        .unwrap();
    *own.lock().unwrap() = Some(pipeline.clone());
    record(&pipeline, &scope("reentrant"), 0..3);
    assert_eq!(pipeline.force_flush(LONG), Ok(()));
    assert_eq!(received(&memory.take())["reentrant"], [0, 1, 2]);
    assert_eq!(pipeline.shutdown(LONG), Ok(()));
    // The transport holds its pipeline.
    *own.lock().unwrap() = None;
}
