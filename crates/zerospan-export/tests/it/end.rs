//! The end of a pipeline: a shutdown, or the last handle that is dropped.

use crate::support::{LONG, batch, quick, received, record, scope, span};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use zerospan_export::{
    DropCause, ExportResponse, FlushError, InMemoryTransport, Pipeline, Request, SendError,
    ShutdownError, Transport,
};

#[test]
fn after_shutdown_spans_are_counted_and_a_second_shutdown_is_an_error() {
    let memory = InMemoryTransport::new();
    let pipeline = quick().with_transport(memory.clone()).build().unwrap();
    let scope = scope("shutdown");
    record(&pipeline, &scope, 0..10);
    assert_eq!(pipeline.shutdown(LONG), Ok(()));
    assert_eq!(
        pipeline.record_encoded(&scope, &span(10, 1)),
        Err(DropCause::AfterShutdown)
    );
    assert_eq!(pipeline.shutdown(LONG), Err(ShutdownError::AlreadyShutDown));
    assert_eq!(pipeline.force_flush(LONG), Err(FlushError::ShutDown));
    assert_eq!(received(&memory.take())["shutdown"].len(), 10);
    let stats = pipeline.stats();
    assert!(stats.is_balanced());
    assert_eq!((stats.recorded, stats.delivered), (11, 10));
    assert_eq!(stats.dropped.by(DropCause::AfterShutdown), 1);
}

#[test]
fn dropping_the_last_handle_flushes() {
    let memory = InMemoryTransport::new();
    let pipeline = quick().with_transport(memory.clone()).build().unwrap();
    let other = pipeline.clone();
    record(&pipeline, &scope("dropped"), 0..10);
    drop(pipeline);
    assert!(memory.is_empty());
    drop(other);
    assert_eq!(received(&memory.take())["dropped"].len(), 10);
}

/// Drops a pipeline at the first request, and sends into memory.
struct Dropping(Arc<Mutex<Option<Pipeline>>>, InMemoryTransport);

impl Transport for Dropping {
    fn send(&mut self, request: &Request<'_>) -> Result<ExportResponse, SendError> {
        let last = self.0.lock().unwrap().take();
        drop(last);
        self.1.send(request)
    }
}

/// Waits until nothing but the caller holds `token`: the worker has ended and dropped its pipeline.
fn assert_freed(token: &Arc<()>) {
    let until = Instant::now() + LONG;
    while Arc::strong_count(token) > 1 {
        assert!(Instant::now() < until, "the worker lives on");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_pipeline_that_is_dropped_on_another_ones_worker_loses_nothing_and_its_thread_ends() {
    let (memory, of_dropped) = (InMemoryTransport::new(), InMemoryTransport::new());
    let token = Arc::new(());
    let dropped = quick()
        .with_transport({
            let (memory, token) = (of_dropped.clone(), Arc::clone(&token));
            move || {
                let _ = &token;
                Ok(memory.clone())
            }
        })
        .build()
        .unwrap();
    record(&dropped, &scope("dropped"), 0..3);
    let watch = dropped.watch();
    let last = Arc::new(Mutex::new(Some(dropped)));
    let pipeline = quick()
        .with_transport({
            let (last, memory) = (Arc::clone(&last), memory.clone());
            move || Ok(Dropping(Arc::clone(&last), memory.clone()))
        })
        .build()
        .unwrap();
    record(&pipeline, &scope("dropping"), 0..2);
    assert_eq!(pipeline.force_flush(LONG), Ok(()));
    assert_eq!(received(&memory.take())["dropping"], [0, 1]);
    assert_eq!(received(&of_dropped.take())["dropped"], [0, 1, 2]);
    assert_eq!((watch.stats().delivered, watch.stats().pending()), (3, 0));
    drop(watch);
    assert_freed(&token);
}

#[test]
fn a_pipeline_that_its_own_transport_drops_sends_the_rest_and_its_thread_ends() {
    let memory = InMemoryTransport::new();
    let last = Arc::new(Mutex::new(None));
    let token = Arc::new(());
    let pipeline = quick()
        .with_transport({
            let (last, memory, token) = (Arc::clone(&last), memory.clone(), Arc::clone(&token));
            move || {
                let _ = &token;
                Ok(Dropping(Arc::clone(&last), memory.clone()))
            }
        })
        .with_batch(batch(|batch| batch.max_export_batch_size = Some(10)))
        .build()
        .unwrap();
    let watch = pipeline.watch();
    // The transport waits for the lock, and then drops the last handle, while this thread still holds a few spans.
    let mut locked = last.lock().unwrap();
    *locked = Some(pipeline.clone());
    record(&pipeline, &scope("own"), 0..25);
    drop(pipeline);
    drop(locked);
    let until = Instant::now() + LONG;
    while watch.stats().pending() > 0 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(1));
    }
    let stats = watch.stats();
    assert!(stats.is_balanced(), "{stats:?}");
    assert_eq!(
        (stats.delivered, stats.dropped.total()),
        (25, 0),
        "{stats:?}"
    );
    drop(watch);
    assert_freed(&token);
}
