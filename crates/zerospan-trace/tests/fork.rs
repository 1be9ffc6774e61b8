//! A forked child draws ids of its own, counts from zero and leaves the parent's spans to the parent. A program on its own, since a fork copies one thread only.
#![cfg(unix)]

use opentelemetry::trace::{Span as _, TracerProvider as _};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use zerospan_export::{InMemoryTransport, Pipeline};
use zerospan_trace::{FinishedSpan, Processor, TraceStats, TracerProvider};

/// Forks, runs `ids` in both processes, and returns both results.
#[allow(unsafe_code)]
fn of_parent_and_child(mut ids: impl FnMut() -> Vec<u8>) -> (Vec<u8>, Vec<u8>) {
    let (mut here, mut there) = UnixStream::pair().expect("a socket");
    // SAFETY: the child does nothing but use this crate, as a program that forks would, and leaves by `_exit`.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let said = there.write_all(&ids()).is_ok();
        drop(there);
        // SAFETY: ends the child at once, without the destructors of a test harness it is no part of.
        unsafe { libc::_exit(i32::from(!said)) };
    }
    drop(there);
    assert!(child > 0);
    let mine = ids();
    let mut theirs = Vec::new();
    here.read_to_end(&mut theirs)
        .expect("the child says something");
    let mut status = 0;
    // SAFETY: `child` is the process made above, and `status` is where its end is written to.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0);
    (mine, theirs)
}

/// `fresh ids after fork`: the official generator gives parent and child the same ones.
#[test]
fn ids_differ_between_parent_and_child_where_the_official_ones_do_not() {
    let provider = TracerProvider::builder().with_exporter(pipeline()).build();
    let tracer = provider.tracer("test");
    // Both generators are seeded before the fork.
    drop(tracer.span("before").start());
    let official = RandomIdGenerator::default();
    official.new_span_id();

    let (mine, theirs) = of_parent_and_child(|| {
        let span = tracer.span("after").start();
        let context = span.span_context();
        let mut said = context.trace_id().to_bytes().to_vec();
        said.extend(context.span_id().to_bytes());
        said
    });
    assert_eq!((mine.len(), theirs.len()), (24, 24));
    assert_ne!(mine[..16], theirs[..16], "trace ids");
    assert_ne!(mine[16..], theirs[16..], "span ids");

    let (mine, theirs) = of_parent_and_child(|| official.new_span_id().to_bytes().to_vec());
    assert_eq!(
        mine, theirs,
        "the official generator has learnt: say so in the row"
    );
}

fn pipeline() -> Pipeline {
    Pipeline::builder()
        .with_transport(InMemoryTransport::new())
        .build()
        .expect("valid")
}

/// The numbers of which a child has its own.
fn numbers(stats: &TraceStats) -> Vec<u8> {
    assert!(stats.is_balanced(), "{stats:?}");
    [
        stats.started,
        stats.sampled,
        stats.open,
        stats.inherited,
        stats.threads as u64,
        stats.exports[0].recorded,
        stats.exports[0].delivered,
    ]
    .map(|number| number as u8)
    .to_vec()
}

#[test]
fn a_forked_child_counts_from_zero() {
    let provider = TracerProvider::builder().with_exporter(pipeline()).build();
    let tracer = provider.tracer("test");
    for _ in 0..5 {
        drop(tracer.span("before").start());
    }
    let left = tracer.clone();
    std::thread::spawn(move || drop(left.span("of a thread that has left").start()))
        .join()
        .expect("the thread ends");
    provider.force_flush().expect("delivered");
    let (mine, theirs) = of_parent_and_child(|| {
        let mut said = numbers(&provider.stats());
        for _ in 0..2 {
            drop(tracer.span("after").start());
        }
        provider.force_flush().expect("delivered");
        said.extend(numbers(&provider.stats()));
        said
    });
    assert_eq!(mine, [6, 6, 0, 0, 1, 6, 6, 8, 8, 0, 0, 1, 8, 8]);
    assert_eq!(theirs, [0, 0, 0, 0, 0, 0, 0, 2, 2, 0, 0, 1, 2, 2]);
}

#[test]
fn a_span_that_is_open_at_a_fork_is_the_parents_to_export() {
    #[derive(Debug)]
    struct Telling(Arc<AtomicU64>);
    impl Processor for Telling {
        fn on_end(&self, _: &FinishedSpan<'_>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    for with_processor in [false, true] {
        let told = Arc::new(AtomicU64::new(0));
        let mut builder = TracerProvider::builder().with_exporter(pipeline());
        if with_processor {
            builder = builder.with_processor(Telling(Arc::clone(&told)));
        }
        let provider = builder.build();
        let tracer = provider.tracer("test");
        let mut open = Some(tracer.span("open at the fork").start());
        let (mine, theirs) = of_parent_and_child(|| {
            let open = open.take().expect("each process has its copy");
            let parent = open.span_context();
            drop(tracer.span("child").with_parent(parent).start());
            drop(open);
            provider.force_flush().expect("delivered");
            let mut said = numbers(&provider.stats());
            said.push(told.load(Ordering::Relaxed) as u8);
            said
        });
        let told = u8::from(with_processor);
        assert_eq!(mine, [2, 2, 0, 0, 1, 2, 2, 2 * told]);
        assert_eq!(theirs, [1, 1, 0, 1, 1, 1, 1, told]);
    }
}
