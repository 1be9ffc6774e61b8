//! A process that forks with a pipeline at work.

use super::{LONG, MILLIS, Observed, Play, ids};
use crate::collector::Collector;
use crate::support::{batch, quick, record};
use std::time::Instant;
use zerospan_export::{Pipeline, Protocol, Scope};

pub(crate) fn after_fork_the_child_starts_clean(protocol: Protocol) -> Observed {
    let play = Play::new("fork, parent and child go on", protocol);
    let collector = Collector::start(protocol);
    let pipeline = quick()
        .with_otlp(collector.config())
        .with_timeout(LONG)
        // Longer than the child takes to record and to look.
        .with_batch(batch(|batch| batch.schedule_delay = MILLIS(1000)))
        .build()
        .unwrap();
    record(&pipeline, &play.scope, 0..1);
    pipeline.force_flush(LONG).unwrap();
    // The worker runs, is connected, and this thread holds spans when the process forks.
    record(&pipeline, &play.scope, 1..3);
    let failed = in_a_child(|| checks_of_the_child(&pipeline, &play.scope));
    assert_eq!(failed, 0, "the child's check number {failed} failed");
    record(&pipeline, &play.scope, 3..4);
    pipeline.force_flush(LONG).unwrap();
    let stats = pipeline.stats();
    assert_eq!((stats.recorded, stats.delivered), (4, 4));
    assert_eq!(
        ids(&collector),
        [0, 1, 2, 3, 100, 101, 102, 103],
        "each once, whichever process"
    );
    play.end(&pipeline)
}

fn checks_of_the_child(pipeline: &Pipeline, scope: &Scope) -> [bool; 6] {
    let clean = pipeline.stats().recorded == 0;
    record(pipeline, scope, 100..103);
    let stats = pipeline.stats();
    let begun = (stats.recorded, stats.open) == (3, 3) && stats.is_balanced();
    // The child's own worker sends when the time has come; then a flush and a shutdown end well.
    let until = Instant::now() + LONG;
    while pipeline.stats().delivered < 3 && Instant::now() < until {
        std::thread::sleep(MILLIS(5));
    }
    let by_timer = pipeline.stats().delivered == 3;
    record(pipeline, scope, 103..104);
    let flushed = pipeline.force_flush(LONG) == Ok(());
    let ended = pipeline.shutdown(LONG) == Ok(());
    let delivered = pipeline.stats().delivered == 4;
    [clean, begun, by_timer, flushed, ended, delivered]
}

/// The child shares the parent's socket, and the set in which the parent waits for it.
pub(crate) fn a_child_drops_what_it_inherited_and_the_parent_goes_on(
    protocol: Protocol,
) -> Observed {
    let play = Play::new("fork, the child drops its handles", protocol);
    let collector = Collector::start(protocol);
    let build = |inline: bool| {
        let builder = quick().with_otlp(collector.config()).with_timeout(LONG);
        let builder = if inline {
            builder.without_worker()
        } else {
            builder
        };
        builder.build().unwrap()
    };
    let (pipeline, other) = (build(true), build(false));
    let producer = pipeline.producer();
    for round in 0..3 {
        // The transports are connected when the process forks.
        for (pipeline, number) in [(&pipeline, 2 * round), (&other, 2 * round + 1)] {
            record(pipeline, &play.scope, number..number + 1);
            pipeline.force_flush(LONG).unwrap();
        }
        let failed = in_a_child(|| {
            let copies = [&pipeline, &other].map(|handle| {
                // SAFETY: the child has a copy of the memory and leaves by `_exit`, so the original is never dropped there.
                #[allow(unsafe_code)]
                unsafe {
                    std::ptr::read(handle)
                }
            });
            // SAFETY: as above.
            #[allow(unsafe_code)]
            drop(unsafe { std::ptr::read(&raw const producer) });
            drop(copies);
            [true]
        });
        assert_eq!(failed, 0);
    }
    let stats = pipeline.stats();
    assert_eq!((stats.delivered, stats.requests, stats.attempts), (3, 3, 3));
    assert_eq!(ids(&collector), [0, 1, 2, 3, 4, 5]);
    if protocol == Protocol::HttpProtobuf {
        assert_eq!(collector.connections(), 2, "each connection is kept");
    }
    play.end(&pipeline)
}

/// Gives the number of the last check that failed in a forked child, from 1; 0 if none did.
#[allow(unsafe_code)]
fn in_a_child<const CHECKS: usize>(checks: impl FnOnce() -> [bool; CHECKS]) -> i32 {
    // SAFETY: the child does nothing but use this crate, as a program that forks would, and leaves by `_exit`.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let failed = checks().iter().rposition(|check| !check);
        let code = failed.map_or(0, |index| index as i32 + 1);
        // SAFETY: ends the child at once, without the destructors of a test harness it is no part of.
        unsafe { libc::_exit(code) };
    }
    assert!(child > 0);
    let mut status = 0;
    // SAFETY: `child` is the process made above, and `status` is where its end is written to.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert!(libc::WIFEXITED(status), "the child ended with {status}");
    libc::WEXITSTATUS(status)
}
