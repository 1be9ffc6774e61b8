//! Models of the hand-over, for `cargo xtask loom`.
//!
//! Pipeline state and buffers are the real ones, with chunks of two items and no worker. The models explore the orders in
//! which threads reach the locks, up to a number of preemptions. Items are numbered: each that was accepted must arrive once,
//! each that was not must be counted, and those of one thread must arrive in order. An inverted lock order is a deadlock,
//! which fails the model.

use crate::base::config::PipelineConfig;
use crate::base::item::item_len;
use crate::base::limits::Limits;
use crate::base::retry_policy::RetryPolicy;
use crate::base::scope::Scope;
use crate::base::stats::DropCause;
use crate::pipeline::producer::Producer;
use crate::queue::inner::PipelineInner;
use crate::queue::state::{Outcome, WorkerSleep, WorkerState};
use crate::queue::thread_buffer::ThreadBuffer;
use crate::worker::inline::InlineWorker;
use loom::thread;
use opentelemetry::trace::{SpanContext, SpanId, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};
use zerospan_core::fork::ProcessOwned;
use zerospan_core::sync::OnceBox;
use zerospan_otlp::{EncodedResource, SpanRecorder, SpanStart};
use zerospan_transport::{InMemoryTransport, Signal};

const CHUNK: usize = 256;

static SCOPE: LazyLock<Scope> =
    LazyLock::new(|| Scope::new(&InstrumentationScope::builder("model").build()));

static CONFIG: LazyLock<Arc<PipelineConfig>> = LazyLock::new(|| {
    Arc::new(PipelineConfig {
        signal: Signal::Traces,
        // No model sends a request.
        connect: ProcessOwned::new(Box::new(|| Ok(InMemoryTransport::new()))),
        retry: RetryPolicy::default(),
        inline: true,
        resource: OnceBox::new(),
        empty_resource: EncodedResource::new(&[] as &[KeyValue], None),
    })
});

const LIMITS: Limits = Limits {
    chunk_bytes: CHUNK,
    chunk_full_at: CHUNK,
    chunk_items: 2,
    chunks_bytes: 8 * CHUNK,
    queue_items: 100,
    request_items: 2,
    batch_bytes: 1 << 20,
    request_bytes: 1 << 20,
    item_bytes: CHUNK,
    schedule_delay: Duration::from_secs(3600),
    timeout: Duration::from_secs(3600),
    drop_timeout: Duration::ZERO,
};

/// Explores every order with at most `preemptions` preemptions.
fn explore(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    LazyLock::force(&SCOPE);
    LazyLock::force(&CONFIG);
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

fn pipeline(limits: Limits) -> Arc<PipelineInner> {
    Arc::new(PipelineInner::new(limits, Arc::clone(&CONFIG), |_| Ok(())))
}

fn recorder(number: u64) -> SpanRecorder {
    let context = SpanContext::new(
        TraceId::from(1),
        SpanId::from(number + 1),
        TraceFlags::SAMPLED,
        false,
        TraceState::NONE,
    );
    let mut recorder = SpanRecorder::new();
    recorder.begin(&SpanStart::new(&context, "s", 1));
    recorder
}

/// Returns the number of an encoded span: its id, which follows the trace id, less 1.
fn number(field: &[u8]) -> u64 {
    let at = field
        .windows(2)
        .position(|tag| tag == [0x12, 8])
        .expect("a span id");
    let id = field[at + 2..at + 10].try_into().expect("8 bytes");
    u64::from_be_bytes(id) - 1
}

/// Records spans with these numbers. Returns those that were accepted.
fn record(producer: &Producer, numbers: impl IntoIterator<Item = u64>) -> Vec<u64> {
    let accepted = |&number: &u64| {
        producer
            .record_span(&SCOPE, &recorder(number), 2, &Status::Unset)
            .is_ok()
    };
    numbers.into_iter().filter(accepted).collect()
}

/// Delivers all items that were handed over, as the worker does. Returns their numbers.
fn deliver(inner: &PipelineInner) -> Vec<u64> {
    let mut numbers = Vec::new();
    let mut state = inner.state();
    while let Some(mut chunk) = state.pop() {
        let mut bytes = chunk.bytes();
        let items = chunk.items() as u64;
        for _ in 0..items {
            let len = item_len(bytes).expect("a whole item");
            numbers.push(number(&bytes[..len]));
            bytes = &bytes[len..];
        }
        assert!(bytes.is_empty());
        state.start_request(items);
        let outcome = Outcome::Delivered {
            rejected: 0,
            bytes: 0,
        };
        state.finish_request(items, outcome);
        state.recycle(&mut chunk, &inner.limits);
    }
    inner.publish_levels(&state);
    numbers
}

fn flush(inner: &PipelineInner) -> Vec<u64> {
    inner.collect();
    deliver(inner)
}

/// Asserts that the `accepted` items of each thread `arrived`, once and in order, and that the rest of the `recorded` ones was
/// counted.
fn assert_accounted(inner: &PipelineInner, recorded: u64, accepted: &[Vec<u64>], arrived: &[u64]) {
    for accepted in accepted {
        let own = arrived.iter().filter(|number| accepted.contains(number));
        assert!(own.eq(accepted), "{accepted:?} of {arrived:?}");
    }
    let all: usize = accepted.iter().map(Vec::len).sum();
    assert_eq!(arrived.len(), all, "{accepted:?}, {arrived:?}");
    let stats = inner.stats();
    assert!(stats.is_balanced(), "{stats:?}");
    assert_eq!(stats.pending(), 0, "{stats:?}");
    assert_eq!(stats.recorded, recorded);
    assert_eq!(stats.delivered, all as u64);
    assert_eq!(stats.threads, 0);
}

/// Two threads record `each` spans and end, during a flush.
fn record_and_end(limits: Limits, each: u64) {
    let inner = pipeline(limits);
    let threads = [0, 10].map(|first| {
        let inner = Arc::clone(&inner);
        thread::spawn(move || record(&Producer::new(inner), first..first + each))
    });
    let mut arrived = flush(&inner);
    let accepted = threads.map(|thread| thread.join().expect("the thread records"));
    arrived.extend(flush(&inner));
    assert_accounted(&inner, 2 * each, &accepted, &arrived);
}

#[test]
fn items_of_threads_that_end_during_a_flush_arrive_once_each() {
    explore(2, || record_and_end(LIMITS, 3));
}

#[test]
fn a_full_queue_drops_only_the_items_that_it_counts() {
    explore(2, || {
        record_and_end(
            Limits {
                queue_items: 2,
                chunk_items: 1,
                ..LIMITS
            },
            3,
        );
    });
}

#[test]
fn reclaiming_chunks_while_a_thread_ends_and_another_flushes_loses_nothing() {
    explore(2, || {
        let inner = pipeline(Limits {
            chunks_bytes: 2 * CHUNK,
            ..LIMITS
        });
        // Two partly filled chunks use up the memory.
        let [ending, idle] = [(); 2].map(|()| Producer::new(Arc::clone(&inner)));
        let (mut of_ending, of_idle) = (record(&ending, [0]), record(&idle, [10]));
        let needy = {
            let inner = Arc::clone(&inner);
            thread::spawn(move || record(&Producer::new(inner), [20]))
        };
        let ending = thread::spawn(move || record(&ending, [1]));
        let mut arrived = flush(&inner);
        of_ending.extend(ending.join().expect("the thread records"));
        let of_needy = needy.join().expect("the thread records");
        drop(idle);
        arrived.extend(flush(&inner));
        assert_accounted(&inner, 4, &[of_ending, of_idle, of_needy], &arrived);
    });
}

#[test]
fn threads_that_reclaim_chunks_at_once_do_not_deadlock() {
    explore(3, || {
        let inner = pipeline(Limits {
            chunks_bytes: 2 * CHUNK,
            ..LIMITS
        });
        let idle = [(); 2].map(|()| Producer::new(Arc::clone(&inner)));
        let mut accepted = vec![record(&idle[0], [0]), record(&idle[1], [10])];
        let needy = [20, 30].map(|number| {
            let inner = Arc::clone(&inner);
            thread::spawn(move || record(&Producer::new(inner), [number]))
        });
        assert!(inner.stats().is_balanced());
        accepted.extend(needy.map(|thread| thread.join().expect("the thread records")));
        drop(idle);
        let arrived = flush(&inner);
        assert_accounted(&inner, 4, &accepted, &arrived);
    });
}

#[test]
fn a_producer_shared_by_two_threads_loses_nothing_and_its_statistics_balance() {
    explore(3, || {
        let inner = pipeline(LIMITS);
        let producer = Arc::new(Producer::new(Arc::clone(&inner)));
        let threads = [0, 10].map(|first| {
            let producer = Arc::clone(&producer);
            thread::spawn(move || record(&producer, first..first + 2))
        });
        let stats = inner.stats();
        assert!(stats.is_balanced(), "{stats:?}");
        let accepted = threads.map(|thread| thread.join().expect("the thread records"));
        drop(producer);
        let arrived = flush(&inner);
        assert_accounted(&inner, 4, &accepted, &arrived);
    });
}

#[test]
fn items_recorded_during_a_shutdown_arrive_or_are_counted() {
    explore(2, || {
        let inner = pipeline(LIMITS);
        let threads = [0, 10].map(|first| {
            let inner = Arc::clone(&inner);
            thread::spawn(move || {
                // An item recorded within another, or while its thread ends, has a buffer that is not registered.
                let buffer = ThreadBuffer::default();
                let outcome = buffer.record(&inner, |chunk, dropped| {
                    let span = recorder(first + 2);
                    chunk.append_trusted(&SCOPE, CHUNK, dropped, |chunk| {
                        span.finish(2, &Status::Unset, chunk);
                    })
                });
                inner.drain(&buffer);
                let accepted = record(&Producer::new(inner), first..first + 2).len();
                accepted + usize::from(outcome.is_ok())
            })
        });
        assert!(inner.close());
        let arrived = flush(&inner).len();
        InlineWorker::default().stop(&inner, Instant::now());
        let accepted: usize = threads
            .map(|thread| thread.join().expect("the thread records"))
            .iter()
            .sum();
        let stats = inner.stats();
        assert!(stats.is_balanced(), "{stats:?}");
        assert_eq!((stats.recorded, stats.pending()), (6, 0), "{stats:?}");
        assert_eq!(stats.delivered, arrived as u64);
        let late = stats.dropped.by(DropCause::AfterShutdown);
        let timed_out = stats.dropped.by(DropCause::ShutdownTimeout);
        assert_eq!(stats.dropped.total(), late + timed_out, "{stats:?}");
        assert!(arrived <= accepted, "{stats:?}");
    });
}

#[test]
fn an_idle_worker_is_woken_by_the_chunk_that_fills_a_batch() {
    explore(3, || {
        let inner = pipeline(LIMITS);
        inner.state().worker = WorkerState::Running;
        let worker = {
            let inner = Arc::clone(&inner);
            thread::spawn(move || {
                let mut state = inner.state();
                while !state.has_batch(&inner.limits) {
                    state = inner.sleep(state, WorkerSleep::Idle, None);
                }
                drop(state);
                deliver(&inner)
            })
        };
        let accepted = record(&Producer::new(Arc::clone(&inner)), 0..2);
        let arrived = worker.join().expect("the worker is woken");
        assert_accounted(&inner, 2, &[accepted], &arrived);
    });
}
