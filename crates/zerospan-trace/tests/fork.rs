//! A forked child draws ids of its own. A program on its own, since a fork copies one thread only.
#![cfg(unix)]

use opentelemetry::trace::{Span as _, TracerProvider as _};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use zerospan_export::{InMemory, Pipeline};
use zerospan_trace::TracerProvider;

/// Forks, has both processes run `ids`, and gives what they said.
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
    let memory = InMemory::new();
    let pipeline = Pipeline::builder()
        .transport(memory.clone())
        .build()
        .expect("valid");
    let provider = TracerProvider::builder().with_exporter(pipeline).build();
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
