//! Forked children: one that exits at once, and one that records. A program on its own, since a fork copies one thread only.
#![cfg(unix)]

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use tracing::{Dispatch, info, info_span};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt;
use zerospan_export::{InMemoryTransport, Pipeline};
use zerospan_trace::TracerProvider;
use zerospan_tracing::OpenTelemetrySpanExt;

/// Forks, runs `work` in the child, which then leaves, and returns what it said.
#[allow(unsafe_code)]
fn in_child(work: impl FnOnce() -> Vec<u8>) -> Vec<u8> {
    let (mut here, mut there) = UnixStream::pair().expect("a socket");
    // SAFETY: the child does nothing but use this crate, as a program that forks would, and leaves by `_exit`.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let said = there.write_all(&work()).is_ok();
        drop(there);
        // SAFETY: ends the child at once, without the destructors of a test harness it is no part of.
        unsafe { libc::_exit(i32::from(!said)) };
    }
    drop(there);
    assert!(child > 0);
    let mut said = Vec::new();
    here.read_to_end(&mut said).expect("the child ends");
    let mut status = 0;
    // SAFETY: `child` is the process made above, and `status` is where its end is written to.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0);
    said
}

#[test]
fn a_child_that_exits_or_records_leaves_the_parents_spans_to_the_parent() {
    let memory = InMemoryTransport::new();
    let pipeline = Pipeline::builder().with_transport(memory.clone()).build();
    let provider = TracerProvider::builder()
        .with_exporter(pipeline.expect("the defaults are valid"))
        .build();
    let dispatch = Dispatch::new(Registry::default().with(zerospan_tracing::layer(&provider)));
    tracing::dispatcher::with_default(&dispatch, || {
        let open = info_span!("open before the fork", field = 1);
        let entered = open.enter();
        let parent = open.span_context();

        assert_eq!(in_child(Vec::new), b"");
        let said = in_child(|| {
            // A span of the child's, in the parent's trace, with an id of its own.
            let child = info_span!("of the child");
            let context = child.span_context();
            child.in_scope(|| info!("event"));
            drop(child);
            // The parent's span, which is not the child's to end.
            open.record("field", 2);
            drop(provider.force_flush());
            let mut said = context.trace_id().to_bytes().to_vec();
            said.extend(context.span_id().to_bytes());
            said
        });
        assert_eq!(said[..16], parent.trace_id().to_bytes());
        let mine = info_span!("of the parent");
        let context = mine.span_context();
        assert_eq!(context.trace_id(), parent.trace_id());
        assert_ne!(said[16..], context.span_id().to_bytes());
        drop(mine);
        drop(entered);
    });
    provider.force_flush().expect("delivered");
    // What the child recorded is in its own memory.
    let stats = provider.stats();
    assert!(stats.is_balanced(), "{stats:?}");
    assert_eq!(
        (stats.exports[0].delivered, stats.open),
        (2, 0),
        "{stats:?}"
    );
    assert!(!memory.take().is_empty());
}
