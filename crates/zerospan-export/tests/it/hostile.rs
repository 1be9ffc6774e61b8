//! User code that panics, exits or looks around where it is called.

use crate::support::{LONG, batch, eventually, quick, received, record, scope, span};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};
use tracing_subscriber::layer::{Context as LayerContext, Layer, SubscriberExt};
use zerospan_core::dev;
use zerospan_export::{
    DropCause, ExportResponse, InMemoryTransport, Pipeline, Request, SendError, Transport,
};

/// A payload whose drop panics, with another one.
struct Grenade;

impl Drop for Grenade {
    fn drop(&mut self) {
        resume_unwind(Box::new(Self));
    }
}

/// Panics for the first request, and when it is dropped.
struct Explosive {
    is_live: Arc<AtomicBool>,
    memory: InMemoryTransport,
}

impl Transport for Explosive {
    fn send(&mut self, request: &Request<'_>) -> Result<ExportResponse, SendError> {
        if self.is_live.swap(false, Ordering::SeqCst) {
            resume_unwind(Box::new(Grenade));
        }
        self.memory.send(request)
    }
}

impl Drop for Explosive {
    fn drop(&mut self) {
        resume_unwind(Box::new(Grenade));
    }
}

#[test]
fn a_transport_whose_panic_panics_leaves_the_counts_balanced_and_the_pipeline_working() {
    for is_inline in [false, true] {
        let memory = InMemoryTransport::new();
        let is_live = Arc::new(AtomicBool::new(true));
        let mut builder = quick()
            .with_transport({
                let memory = memory.clone();
                move || {
                    Ok(Explosive {
                        is_live: Arc::clone(&is_live),
                        memory: memory.clone(),
                    })
                }
            })
            .with_batch(batch(|batch| batch.max_export_batch_size = Some(10)));
        if is_inline {
            builder = builder.without_worker();
        }
        let pipeline = builder.build().unwrap();
        // The first request is cut from a chunk that holds the others too.
        record(&pipeline, &scope("explosive"), 0..25);
        let flushed = pipeline.force_flush(LONG);
        // A worker sends the first request without a flush, which may then find it lost already.
        assert!(flushed.is_err() || !is_inline);
        let stats = eventually(&pipeline, |stats| stats.pending() == 0);
        assert_eq!(stats.pending(), 0, "{stats:?}");
        assert_eq!(stats.dropped.by(DropCause::TransportPanic), 10, "{stats:?}");
        record(&pipeline, &scope("explosive"), 25..30);
        pipeline.force_flush(LONG).unwrap();
        assert!(
            received(&memory.take())["explosive"]
                .iter()
                .copied()
                .eq(10..30)
        );
        pipeline.shutdown(LONG).unwrap();
    }
}

/// Calls a function for each event of this crate.
struct Calling(fn(&'static str));

impl<S: tracing::Subscriber> Layer<S> for Calling {
    fn on_event(&self, event: &tracing::Event<'_>, _: LayerContext<'_, S>) {
        if event.metadata().target().starts_with("zerospan_export") {
            (self.0)(event.metadata().name());
        }
    }
}

fn subscribe(call: fn(&'static str)) {
    let subscriber = tracing_subscriber::registry().with(Calling(call));
    tracing::subscriber::set_global_default(subscriber).unwrap();
}

/// Runs `test` in a process of its own, with `variables`, on its first thread. Returns its exit code, or `None` if it hangs.
fn alone(variables: &[(&str, &str)], test: impl FnOnce()) -> Option<i32> {
    let Some(mut command) = dev::own_process() else {
        test();
        std::process::exit(0);
    };
    let mut child = command
        .arg("--test-threads=1")
        .envs(variables.iter().copied())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + 2 * LONG;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status.code().unwrap_or(-1));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    None
}

#[test]
fn a_subscriber_that_panics_loses_nothing() {
    static EVENTS: AtomicUsize = AtomicUsize::new(0);
    let code = alone(&[], || {
        subscribe(|_| {
            EVENTS.fetch_add(1, Ordering::SeqCst);
            resume_unwind(Box::new(Grenade));
        });
        struct Failing;
        impl Transport for Failing {
            fn send(&mut self, _: &Request<'_>) -> Result<ExportResponse, SendError> {
                Err(SendError::unreachable("nobody there"))
            }
        }
        for is_inline in [false, true] {
            let mut builder = quick().with_transport(|| Ok(Failing));
            if is_inline {
                builder = builder.without_worker();
            }
            let pipeline = builder.build().unwrap();
            let scope = scope("logged");
            pipeline.record_encoded(&scope, b"no span").unwrap_err();
            record(&pipeline, &scope, 0..25);
            assert!(pipeline.force_flush(LONG).is_err());
            record(&pipeline, &scope, 25..30);
            assert!(pipeline.shutdown(LONG).is_err());
            let stats = pipeline.stats();
            assert!(stats.is_balanced() && stats.pending() == 0, "{stats:?}");
            assert_eq!(stats.recorded, 31);
        }
        assert!(EVENTS.load(Ordering::SeqCst) >= 4);
    });
    assert_eq!(code, Some(0));
}

#[test]
fn an_encoder_may_record_flush_and_read_the_statistics() {
    for is_inline in [false, true] {
        let memory = InMemoryTransport::new();
        let mut builder = quick().with_transport(memory.clone());
        if is_inline {
            builder = builder.without_worker();
        }
        let pipeline = builder.build().unwrap();
        let outer = scope("outer");
        let recorded = pipeline.record(&outer, |bytes| {
            record(&pipeline, &scope("inner"), 0..1);
            assert_eq!(pipeline.force_flush(LONG), Ok(()));
            let stats = pipeline.stats();
            assert!(stats.is_balanced(), "{stats:?}");
            assert_eq!(stats.delivered, 1);
            bytes.extend_from_slice(&span(1, 10));
        });
        assert_eq!(recorded, Ok(()));
        assert_eq!(pipeline.force_flush(LONG), Ok(()));
        assert_eq!(pipeline.stats().delivered, 2);
        assert_eq!(received(&memory.take())["outer"], [1]);
    }
}

#[test]
fn a_program_may_exit_while_an_encoder_panics() {
    let code = alone(&[], || {
        let pipeline = quick()
            .with_transport(InMemoryTransport::new())
            .build()
            .unwrap();
        record(&pipeline, &scope("exit"), 0..1);
        std::panic::set_hook(Box::new(|_| std::process::exit(7)));
        let _ = pipeline.record(&scope("exit"), |_| panic!("in an encoder"));
    });
    assert_eq!(code, Some(7));
}

/// The standard library takes the size of its threads' stacks from this variable: the system refuses such a thread.
const NO_THREADS: (&str, &str) = ("RUST_MIN_STACK", "140000000000000");

#[test]
fn a_subscriber_may_look_at_the_pipeline_where_no_thread_can_be_started() {
    static PIPELINE: OnceLock<Pipeline> = OnceLock::new();
    static SEEN: Mutex<Vec<&str>> = Mutex::new(Vec::new());
    let code = alone(&[NO_THREADS], || {
        assert!(std::thread::Builder::new().spawn(|| ()).is_err());
        subscribe(|name| {
            let pipeline = PIPELINE.get().unwrap();
            assert!(pipeline.stats().is_balanced());
            let _ = pipeline.record_encoded(&scope("subscriber"), &span(1, 10));
            SEEN.lock().unwrap().push(name);
        });
        let pipeline = PIPELINE.get_or_init(|| {
            let builder = quick().with_transport(InMemoryTransport::new());
            let small = batch(|batch| {
                (batch.max_queue_size, batch.max_export_batch_size) = (Some(16), Some(16));
            });
            builder.with_batch(small).build().unwrap()
        });
        let accepted = record(pipeline, &scope("no thread"), 0..100);
        assert!(accepted < 100);
        assert!(pipeline.force_flush(LONG).is_err());
        let seen = SEEN.lock().unwrap().clone();
        assert!(seen.contains(&"ItemsDropped"), "{seen:?}");
        assert!(seen.contains(&"WorkerNotStarted"), "{seen:?}");
        let _ = pipeline.shutdown(LONG);
        let stats = pipeline.stats();
        assert!(stats.is_balanced() && stats.pending() == 0, "{stats:?}");
    });
    assert_eq!(code, Some(0));
}
