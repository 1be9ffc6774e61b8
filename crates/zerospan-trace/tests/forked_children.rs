//! Forks hundreds of children beside threads at work: none of them hangs, and none disturbs its parent. A program on its own,
//! since a fork copies one thread only.
//!
//! `cargo xtask faults` prints its count.
#![cfg(unix)]
#![allow(clippy::print_stdout)]

use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use zerospan_export::{InMemoryTransport, Pipeline, PipelineBuilder};
use zerospan_pool::{ArrayQueuePool, GLOBAL_SPAN_POOL, ObjectPool, Pool};
use zerospan_trace::{FinishedSpan, Processor, Tracer, TracerProvider};

const CHILDREN: usize = 300;
/// A child that lives longer is killed by its alarm, and counts as hung.
const WATCHDOG_SECONDS: u32 = 20;
const MAX_ALIVE: usize = 12;
const TIMEOUT: Duration = Duration::from_secs(5);
/// Time for a child's worker. It may pass in vain: a thread that starts takes a lock of the standard library, which another may
/// hold at the fork.
const OF_CHILD: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct Counting(Arc<AtomicU64>);

impl Processor for Counting {
    fn on_end(&self, _: &FinishedSpan<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// The state of the forking thread, which each child inherits.
struct Inherited {
    /// Used by all threads.
    shared: TracerProvider,
    tracer: Tracer,
    /// Used by the forking thread alone, so that a child drops the last handle.
    own: TracerProvider,
    own_tracer: Tracer,
    observed: TracerProvider,
    pipeline: Pipeline,
    pool: Arc<ArrayQueuePool<Vec<u8>>>,
    stack: Arc<ObjectPool<Vec<u8>>>,
    open: zerospan_trace::Span,
}

fn memory() -> PipelineBuilder {
    Pipeline::builder().with_transport(InMemoryTransport::new())
}

impl Inherited {
    fn new() -> Self {
        let provider = |pipeline: PipelineBuilder| {
            let pipeline = pipeline.build().expect("valid");
            TracerProvider::builder().with_exporter(pipeline)
        };
        let shared = provider(memory()).build();
        let own = provider(memory().without_worker()).build();
        let observed = provider(memory())
            .with_processor(Counting(Arc::default()))
            .build();
        Self {
            tracer: shared.tracer("shared"),
            own_tracer: own.tracer("own"),
            pipeline: memory().without_worker().build().expect("valid"),
            pool: Arc::new(ArrayQueuePool::new(4).expect("valid")),
            stack: Arc::new(ObjectPool::new(4)),
            open: shared.tracer("open").start("open at the fork"),
            shared,
            own,
            observed,
        }
    }

    fn providers(&self) -> [&TracerProvider; 3] {
        [&self.shared, &self.own, &self.observed]
    }

    fn work(&self) {
        for provider in self.providers() {
            let mut span = provider.tracer("work").start("work");
            span.set_attribute(KeyValue::new("key", "value"));
        }
        drop(self.own_tracer.start("of the own tracer"));
        drop(self.tracer.start("of the shared tracer"));
        drop(GLOBAL_SPAN_POOL.acquire());
        drop(self.pool.acquire());
        drop(self.stack.acquire());
    }
}

type Action = (&'static str, fn(Inherited));

/// The operations that a child performs before it exits.
const ACTIONS: [Action; 9] = [
    ("exits", std::mem::forget),
    ("drops all", drop),
    ("records", |all| {
        all.work();
        std::mem::forget(all);
    }),
    ("records, drops all", |all| {
        all.work();
        drop(all);
    }),
    ("flushes", |all| {
        all.work();
        for provider in all.providers() {
            let _ = provider.force_flush_with_timeout(OF_CHILD);
        }
        assert!(all.pipeline.force_flush(OF_CHILD).is_ok());
        std::mem::forget(all);
    }),
    ("shuts down", |all| {
        for provider in all.providers() {
            let _ = provider.shutdown_with_timeout(OF_CHILD);
        }
        std::mem::forget(all);
    }),
    ("reads stats", |all| {
        for provider in all.providers() {
            assert!(provider.stats().is_balanced());
        }
        let pools = [
            all.pool.stats(),
            all.stack.stats(),
            GLOBAL_SPAN_POOL.stats(),
        ];
        assert!(pools.iter().all(|stats| stats.lent() == 0));
        std::mem::forget(all);
    }),
    ("ends an open span", |mut all| {
        all.open.end();
        std::mem::forget(all);
    }),
    ("builds its own", |all| {
        let own = Inherited::new();
        own.work();
        for provider in own.providers() {
            let _ = provider.shutdown_with_timeout(OF_CHILD);
        }
        drop(own);
        drop(all);
    }),
];

#[test]
fn no_forked_child_hangs_beside_threads_at_work() {
    let all = Inherited::new();
    // This thread has state in everything that the children inherit.
    all.work();
    let stop = Arc::new(AtomicBool::new(false));
    let recorded = Arc::new(AtomicU64::new(0));
    let busy = std::thread::scope(|scope| {
        // Threads that come and go.
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let joined = std::thread::scope(|inner| {
                        let visit = inner.spawn(|| {
                            all.tracer.start("of a thread that leaves").end();
                            all.observed.tracer("observed").start("observed").end();
                            recorded.fetch_add(2, Ordering::Relaxed);
                            for _ in 0..4 {
                                drop(GLOBAL_SPAN_POOL.acquire());
                                drop(all.pool.acquire());
                                drop(all.stack.acquire());
                            }
                        });
                        visit.join()
                    });
                    assert!(joined.is_ok());
                }
            });
        }
        // Statistics, and providers that come and go.
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let _ = all.shared.stats();
                let _ = all.observed.stats();
                assert_eq!(all.pool.capacity(), 4);
                let _ = GLOBAL_SPAN_POOL.stats();
                let brief = TracerProvider::builder().build();
                brief.tracer("brief").start("brief").end();
            }
        });
        let outcomes = fork_children(&all);
        stop.store(true, Ordering::Relaxed);
        outcomes
    });
    let total: usize = busy.values().map(|(children, _)| children).sum();
    let failed: usize = busy.values().map(|(_, failed)| failed.len()).sum();
    for (action, (children, failed)) in &busy {
        println!(
            "forked children: {action:<20} {children:>4}, hung or failed {:>4} {failed:?}",
            failed.len()
        );
    }
    println!("forked children: {failed} of {total} hung or failed");
    assert_eq!((failed, total), (0, CHILDREN));

    // The parent's spans arrived, whatever its children did.
    for provider in all.providers() {
        provider
            .force_flush_with_timeout(TIMEOUT)
            .expect("delivered");
        let stats = provider.stats();
        assert!(stats.is_balanced(), "{stats:?}");
        assert_eq!(
            stats.exports[0].delivered,
            stats.sampled - stats.open,
            "{stats:?}"
        );
        assert_eq!(stats.inherited, 0);
    }
    assert!(
        all.shared.stats().sampled + all.observed.stats().sampled
            >= recorded.load(Ordering::Relaxed)
    );
    assert_eq!(GLOBAL_SPAN_POOL.stats().lent(), 0);
}

/// Forks the children. Returns for each action how many did it, and the statuses of those that hung or failed.
#[allow(unsafe_code)]
fn fork_children(all: &Inherited) -> BTreeMap<&'static str, (usize, Vec<i32>)> {
    let mut outcomes = BTreeMap::<_, (usize, Vec<i32>)>::new();
    let mut alive = BTreeMap::new();
    for number in 0..CHILDREN {
        let (name, action) = ACTIONS[number % ACTIONS.len()];
        // SAFETY: the child does nothing but use this crate, as a program that forks would, and exits.
        let child = unsafe { libc::fork() };
        if child == 0 {
            // SAFETY: sets a timer, whose signal ends this process.
            unsafe { libc::alarm(WATCHDOG_SECONDS) };
            // SAFETY: the child has a copy of the memory. The original is never dropped here, so the copy is the only owner.
            let inherited = unsafe { std::ptr::read(all) };
            let done = catch_unwind(AssertUnwindSafe(|| action(inherited)));
            // Runs the destructors of this thread's locals, as a program's end does. That of the standard library takes a lock
            // of its own, which a thread that starts or ends may hold at the fork.
            // SAFETY: ends this process.
            unsafe { libc::exit(if done.is_ok() { 0 } else { 101 }) };
        }
        assert!(child > 0);
        alive.insert(child, name);
        while alive.len() >= MAX_ALIVE {
            reap(&mut alive, &mut outcomes);
        }
        std::thread::sleep(Duration::from_micros((number * 7919 % 2_000) as u64));
    }
    while !alive.is_empty() {
        reap(&mut alive, &mut outcomes);
    }
    outcomes
}

/// Waits for any child.
#[allow(unsafe_code)]
fn reap(
    alive: &mut BTreeMap<i32, &'static str>,
    outcomes: &mut BTreeMap<&'static str, (usize, Vec<i32>)>,
) {
    let mut status = 0;
    // SAFETY: `status` is where the child's end is written to.
    let child = unsafe { libc::waitpid(-1, &raw mut status, 0) };
    let name = alive.remove(&child).expect("a child of this test");
    let outcome = outcomes.entry(name).or_default();
    outcome.0 += 1;
    if status != 0 {
        outcome.1.push(status);
    }
}
