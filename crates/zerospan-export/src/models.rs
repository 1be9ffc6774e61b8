//! The models of the hand-over: `cargo xtask loom`.
//!
//! Core, slots and state are the real ones, with chunks of two spans and no worker. The orders in which threads can reach the
//! locks are tried, up to a number of preemptions. Spans are numbered: each that was taken must arrive once, each that was
//! not must be counted, and a thread's own arrive in its order. A cycle in the order of the locks is a deadlock, which ends
//! the model.

use crate::core::{Core, Setup};
use crate::limits::Limits;
use crate::slot::Slot;
use crate::state::{Outcome, Rest, Worker};
use crate::worker::{self, Hand};
use crate::{
    Connect, DropCause, InMemoryTransport, Producer, RetryPolicy, Scope, SendError, Transport, wire,
};
use loom::thread;
use opentelemetry::trace::{SpanContext, SpanId, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Duration;
use zerospan_otlp::{EncodedResource, SpanRecorder, SpanStart};

const CHUNK: usize = 256;

static SCOPE: LazyLock<Scope> =
    LazyLock::new(|| Scope::new(&InstrumentationScope::builder("model").build()));

static SETUP: LazyLock<Arc<Setup>> = LazyLock::new(|| {
    Arc::new(Setup {
        connect: Box::new(Nowhere),
        retry: RetryPolicy::default(),
        by_hand: true,
        no_resource: EncodedResource::new(&[] as &[KeyValue], None),
        resource: OnceLock::new(),
    })
});

/// No model sends anything.
struct Nowhere;

impl Connect for Nowhere {
    fn connect(&self) -> Result<Box<dyn Transport>, SendError> {
        Ok(Box::new(InMemoryTransport::new()))
    }
}

const LIMITS: Limits = Limits {
    chunk_bytes: CHUNK,
    chunk_full_at: CHUNK,
    chunk_spans: 2,
    chunks_bytes: 8 * CHUNK,
    queue_spans: 100,
    batch_spans: 2,
    request_bytes: 1 << 20,
    span_bytes: CHUNK,
    schedule_delay: Duration::from_secs(3600),
    timeout: Duration::from_secs(3600),
    drop_timeout: Duration::ZERO,
};

/// Tries every order with at most `preemptions` preemptions.
fn explore(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    LazyLock::force(&SCOPE);
    LazyLock::force(&SETUP);
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

fn core(limits: Limits) -> Arc<Core> {
    Arc::new(Core::new(limits, Arc::clone(&SETUP)))
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

/// The number of an encoded span: field 2 of it, behind the trace id.
fn number(field: &[u8]) -> u64 {
    let at = field
        .windows(2)
        .position(|tag| tag == [0x12, 8])
        .expect("a span id");
    let id = field[at + 2..at + 10].try_into().expect("8 bytes");
    u64::from_be_bytes(id) - 1
}

/// Records the spans with these numbers; gives those that were taken.
fn record(producer: &Producer, numbers: impl IntoIterator<Item = u64>) -> Vec<u64> {
    let taken = |&number: &u64| {
        producer
            .record(&SCOPE, &recorder(number), 2, &Status::Unset)
            .is_ok()
    };
    numbers.into_iter().filter(taken).collect()
}

/// Takes all that was handed over, as the worker does; gives the numbers.
fn deliver(core: &Core) -> Vec<u64> {
    let mut numbers = Vec::new();
    let mut state = core.state();
    while let Some(mut chunk) = state.pop() {
        let mut bytes = chunk.bytes();
        let spans = chunk.spans() as u64;
        for _ in 0..spans {
            let len = wire::span_field_len(bytes).expect("a whole span");
            numbers.push(number(&bytes[..len]));
            bytes = &bytes[len..];
        }
        assert!(bytes.is_empty());
        state.take_off(spans);
        let outcome = Outcome::Delivered {
            rejected: 0,
            bytes: 0,
        };
        state.settle(spans, outcome);
        state.recycle(&mut chunk, &core.limits);
    }
    core.publish(&state);
    numbers
}

fn flush(core: &Core) -> Vec<u64> {
    core.sweep();
    deliver(core)
}

/// Asserts that `arrived` is what was `taken` of each thread, each once and in its order, and that the rest of the
/// `recorded` spans was counted.
fn assert_accounted(core: &Core, recorded: u64, taken: &[Vec<u64>], arrived: &[u64]) {
    for taken in taken {
        let of_thread = arrived.iter().filter(|number| taken.contains(number));
        assert!(of_thread.eq(taken), "{taken:?} of {arrived:?}");
    }
    let all: usize = taken.iter().map(Vec::len).sum();
    assert_eq!(arrived.len(), all, "{taken:?}, {arrived:?}");
    let stats = core.stats();
    assert!(stats.is_balanced(), "{stats:?}");
    assert_eq!(stats.pending(), 0, "{stats:?}");
    assert_eq!(stats.recorded, recorded);
    assert_eq!(stats.delivered, all as u64);
    assert_eq!(stats.threads, 0);
}

/// Two threads that record `each` spans and leave, beside a flush.
fn record_and_leave(limits: Limits, each: u64) {
    let core = core(limits);
    let threads = [0, 10].map(|first| {
        let core = Arc::clone(&core);
        thread::spawn(move || record(&Producer::new(core), first..first + each))
    });
    let mut arrived = flush(&core);
    let taken = threads.map(|thread| thread.join().expect("it records"));
    arrived.extend(flush(&core));
    assert_accounted(&core, 2 * each, &taken, &arrived);
}

#[test]
fn spans_of_threads_that_record_and_leave_beside_a_flush_arrive_once_each() {
    explore(2, || record_and_leave(LIMITS, 3));
}

#[test]
fn a_full_queue_drops_what_it_counts_and_nothing_else() {
    explore(2, || {
        record_and_leave(
            Limits {
                queue_spans: 2,
                chunk_spans: 1,
                ..LIMITS
            },
            3,
        );
    });
}

#[test]
fn relief_beside_a_thread_that_leaves_and_a_flush_loses_nothing() {
    explore(2, || {
        let core = core(Limits {
            chunks_bytes: 2 * CHUNK,
            ..LIMITS
        });
        // All the memory there is lies half-empty with two threads.
        let [leaving, idle] = [(); 2].map(|()| Producer::new(Arc::clone(&core)));
        let (mut of_leaving, of_idle) = (record(&leaving, [0]), record(&idle, [10]));
        let needy = {
            let core = Arc::clone(&core);
            thread::spawn(move || record(&Producer::new(core), [20]))
        };
        let leaving = thread::spawn(move || record(&leaving, [1]));
        let mut arrived = flush(&core);
        of_leaving.extend(leaving.join().expect("it records"));
        let of_needy = needy.join().expect("it records");
        drop(idle);
        arrived.extend(flush(&core));
        assert_accounted(&core, 4, &[of_leaving, of_idle, of_needy], &arrived);
    });
}

#[test]
fn threads_that_need_relief_at_once_do_not_wait_for_each_other_for_ever() {
    explore(3, || {
        let core = core(Limits {
            chunks_bytes: 2 * CHUNK,
            ..LIMITS
        });
        let idle = [(); 2].map(|()| Producer::new(Arc::clone(&core)));
        let mut taken = vec![record(&idle[0], [0]), record(&idle[1], [10])];
        let needy = [20, 30].map(|number| {
            let core = Arc::clone(&core);
            thread::spawn(move || record(&Producer::new(core), [number]))
        });
        assert!(core.stats().is_balanced());
        taken.extend(needy.map(|thread| thread.join().expect("it records")));
        drop(idle);
        let arrived = flush(&core);
        assert_accounted(&core, 4, &taken, &arrived);
    });
}

#[test]
fn a_producer_that_two_threads_share_loses_nothing_and_snapshots_balance() {
    explore(3, || {
        let core = core(LIMITS);
        let producer = Arc::new(Producer::new(Arc::clone(&core)));
        let threads = [0, 10].map(|first| {
            let producer = Arc::clone(&producer);
            thread::spawn(move || record(&producer, first..first + 2))
        });
        let stats = core.stats();
        assert!(stats.is_balanced(), "{stats:?}");
        let taken = threads.map(|thread| thread.join().expect("it records"));
        drop(producer);
        let arrived = flush(&core);
        assert_accounted(&core, 4, &taken, &arrived);
    });
}

#[test]
fn what_is_recorded_while_the_pipeline_is_shut_down_arrives_or_is_counted() {
    explore(2, || {
        let core = core(LIMITS);
        let threads = [0, 10].map(|first| {
            let core = Arc::clone(&core);
            thread::spawn(move || {
                // A span that is recorded within another, or while its thread ends, has a slot that no sweep knows of.
                let slot = Slot::default();
                let taken = slot.record(&core, |chunk, dropped| {
                    let span = recorder(first + 2);
                    chunk.append_recorded(&SCOPE, &span, 2, &Status::Unset, CHUNK, dropped)
                });
                core.retire(&slot);
                record(&Producer::new(core), first..first + 2).len() + usize::from(taken.is_ok())
            })
        });
        assert!(core.close());
        let arrived = flush(&core).len();
        worker::put_down(&core, &mut Hand::default());
        let taken: usize = threads
            .map(|thread| thread.join().expect("it records"))
            .iter()
            .sum();
        let stats = core.stats();
        assert!(stats.is_balanced(), "{stats:?}");
        assert_eq!((stats.recorded, stats.pending()), (6, 0), "{stats:?}");
        assert_eq!(stats.delivered, arrived as u64);
        let late = stats.dropped.by(DropCause::AfterShutdown);
        let cut_off = stats.dropped.by(DropCause::ShutdownTimeout);
        assert_eq!(stats.dropped.total(), late + cut_off, "{stats:?}");
        assert!(arrived <= taken, "{stats:?}");
    });
}

#[test]
fn whoever_waits_for_a_batch_is_woken_by_the_chunk_that_fills_it() {
    explore(3, || {
        let core = core(LIMITS);
        core.state().worker = Worker::Running;
        let worker = {
            let core = Arc::clone(&core);
            thread::spawn(move || {
                let mut state = core.state();
                while !state.has_batch(&core.limits) {
                    state = core.rest(state, Rest::Idle, None);
                }
                drop(state);
                deliver(&core)
            })
        };
        let taken = record(&Producer::new(Arc::clone(&core)), 0..2);
        let arrived = worker.join().expect("it is woken");
        assert_accounted(&core, 2, &[taken], &arrived);
    });
}

#[test]
fn a_worker_that_dozes_is_woken_by_the_chunk_that_half_fills_the_queue() {
    explore(2, || {
        let core = core(Limits {
            queue_spans: 8,
            ..LIMITS
        });
        core.state().worker = Worker::Running;
        let worker = {
            let core = Arc::clone(&core);
            thread::spawn(move || {
                let mut state = core.state();
                while state.queued_spans() < 4 {
                    state = core.rest(state, Rest::Doze, None);
                }
                drop(state);
                deliver(&core)
            })
        };
        let other = {
            let core = Arc::clone(&core);
            thread::spawn(move || record(&Producer::new(core), 2..4))
        };
        let taken = record(&Producer::new(Arc::clone(&core)), 0..2);
        let taken = [taken, other.join().expect("it records")];
        let arrived = worker.join().expect("it is woken");
        assert_accounted(&core, 4, &taken, &arrived);
    });
}
