//! Forked children count from zero, and none hangs beside threads at work or disturbs its parent. A program on its own, since a
//! fork copies one thread only.
//!
//! `cargo xtask faults` prints its count.
#![cfg(unix)]
#![allow(unsafe_code, clippy::print_stdout)]

use opentelemetry::InstrumentationScope;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use zerospan_export::{InMemoryTransport, Pipeline, PipelineBuilder, Signal};
use zerospan_logs::{LogRecord, Logger, LoggerProvider, Processor};

const CHILDREN: usize = 200;
/// A child that lives longer is killed by its alarm, and counts as hung.
const WATCHDOG_SECONDS: u32 = 20;
const MAX_ALIVE: usize = 12;
/// Time for a child's worker. It may pass in vain: a thread that starts takes a lock of the standard library, which another may
/// hold at the fork.
const OF_CHILD: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
struct Counting(AtomicU64);

impl Processor for Counting {
    fn on_emit(&self, _: &mut LogRecord, _: &InstrumentationScope) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// The state of the forking thread, which each child inherits.
struct Inherited {
    /// Used by all threads.
    shared: LoggerProvider,
    logger: Logger,
    /// Used by the forking thread alone, so that a child drops the last handle.
    own: LoggerProvider,
    observed: LoggerProvider,
    open: LogRecord,
}

fn memory() -> PipelineBuilder {
    Pipeline::builder()
        .with_signal(Signal::Logs)
        .with_transport(InMemoryTransport::new())
}

impl Inherited {
    fn new() -> Self {
        let provider = |pipeline: PipelineBuilder| {
            let pipeline = pipeline.build().expect("valid");
            LoggerProvider::builder().with_exporter(pipeline)
        };
        let shared = provider(memory()).build();
        let logger = shared.logger("shared");
        Self {
            open: logger.record(),
            logger,
            shared,
            // Each of its records loses its attribute to the limit.
            own: provider(memory().without_worker())
                .with_max_attributes_per_record(0)
                .build(),
            observed: provider(memory())
                .with_processor(Counting::default())
                .build(),
        }
    }

    fn providers(&self) -> [&LoggerProvider; 3] {
        [&self.shared, &self.own, &self.observed]
    }

    fn work(&self) {
        for provider in self.providers() {
            emit(&provider.logger("work"));
        }
        emit(&self.logger);
    }
}

fn emit(logger: &Logger) {
    let mut record = logger.record();
    opentelemetry::logs::LogRecord::set_target(&mut record, "target");
    record.set_body_fmt(format_args!("{} of {}", 1, 2));
    record.set_dynamic("key", "value");
    logger.emit(record);
}

type Action = fn(Inherited);

/// The operations that a child performs before it exits.
const ACTIONS: [Action; 8] = [
    std::mem::forget,
    drop,
    |all| {
        all.work();
        // Those of this process, without the parent's.
        assert_eq!(all.own.stats().limited, 1);
        std::mem::forget(all);
    },
    |all| {
        all.work();
        drop(all);
    },
    |all| {
        all.work();
        for provider in all.providers() {
            let _ = provider.force_flush_with_timeout(OF_CHILD);
        }
        std::mem::forget(all);
    },
    |all| {
        for provider in all.providers() {
            let _ = provider.shutdown_with_timeout(OF_CHILD);
        }
        std::mem::forget(all);
    },
    |all| {
        for provider in all.providers() {
            let stats = provider.stats();
            assert!(stats.is_balanced() && stats.exports[0].recorded == 0);
            assert_eq!(stats.limited, 0);
        }
        let Inherited { logger, open, .. } = &mut { all };
        logger.emit(std::mem::take(open));
        emit(logger);
    },
    |all| {
        let own = Inherited::new();
        own.work();
        for provider in own.providers() {
            let _ = provider.shutdown_with_timeout(OF_CHILD);
        }
        drop(all);
    },
];

/// Forks a child that runs `action`.
fn fork(all: &Inherited, action: Action) {
    // SAFETY: the child does nothing but use this crate, as a program that forks would, and exits.
    let child = unsafe { libc::fork() };
    if child == 0 {
        // SAFETY: sets a timer, whose signal ends this process.
        unsafe { libc::alarm(WATCHDOG_SECONDS) };
        // SAFETY: the child has a copy of the memory. The original is never dropped here, so the copy is the only owner.
        let inherited = unsafe { std::ptr::read(all) };
        let done = catch_unwind(AssertUnwindSafe(|| action(inherited)));
        // Runs the destructors of this thread's locals, as a program's end does.
        // SAFETY: ends this process.
        unsafe { libc::exit(if done.is_ok() { 0 } else { 101 }) };
    }
    assert!(child > 0);
}

/// Waits for any child, and returns `true` if it ended as it should.
fn reap() -> bool {
    let mut status = 0;
    // SAFETY: `status` is where the child's end is written to.
    let child = unsafe { libc::waitpid(-1, &raw mut status, 0) };
    assert!(child > 0);
    status == 0
}

#[test]
fn no_forked_child_that_logs_hangs_or_disturbs_its_parent() {
    let all = Inherited::new();
    // This thread has state in everything that the children inherit.
    all.work();
    let stop = AtomicBool::new(false);
    let emitted = AtomicU64::new(0);
    let failed = std::thread::scope(|scope| {
        // Threads that come and go.
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    std::thread::scope(|inner| {
                        inner.spawn(|| {
                            emit(&all.logger);
                            emit(&all.observed.logger("observed"));
                            emitted.fetch_add(1, Ordering::Relaxed);
                        });
                    });
                }
            });
        }
        // Statistics, and providers that come and go.
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let _ = (all.shared.stats(), all.observed.stats());
                let brief = LoggerProvider::builder().with_processor(Counting::default());
                emit(&brief.build().logger("brief"));
            }
        });
        let mut failed = 0;
        for number in 0..CHILDREN {
            fork(&all, ACTIONS[number % ACTIONS.len()]);
            if number >= MAX_ALIVE {
                failed += usize::from(!reap());
            }
            std::thread::sleep(Duration::from_micros((number * 7919 % 2_000) as u64));
        }
        for _ in 0..MAX_ALIVE {
            failed += usize::from(!reap());
        }
        stop.store(true, Ordering::Relaxed);
        failed
    });
    println!("forked children that log: {failed} of {CHILDREN} hung or failed");
    assert_eq!(failed, 0);
    // The parent's records arrived, whatever its children did.
    let emitted = emitted.load(Ordering::Relaxed);
    for (provider, expected) in all
        .providers()
        .into_iter()
        .zip([emitted + 2, 1, emitted + 1])
    {
        provider.force_flush().expect("delivered");
        let stats = provider.stats();
        assert!(stats.is_balanced(), "{stats:?}");
        let export = &stats.exports[0];
        assert_eq!(export.recorded, expected, "{stats:?}");
        assert_eq!(export.delivered + export.lost(), expected, "{stats:?}");
    }
}
