//! Many threads, and spans that move between them.

use crate::support::{Rig, returns};
use tracing::Dispatch;
use tracing::{Span, info, info_span};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt;

#[test]
fn ten_thousand_threads_leave_nothing_behind() {
    let rig = Rig::new();
    let layer = zerospan_tracing::layer(&rig.provider);
    let handle = layer.handle();
    let dispatch = Dispatch::new(Registry::default().with(layer));
    let work = |number: usize| {
        tracing::dispatcher::with_default(&dispatch, || {
            let span = info_span!("short", number, formatted = ?number);
            span.in_scope(|| {
                info!("event");
                info_span!("child").in_scope(|| {});
            });
            span.record("number", 7);
        });
    };
    for _ in 0..200 {
        std::thread::scope(|scope| {
            for number in 0..50 {
                scope.spawn(move || work(number));
            }
        });
    }
    assert_eq!(rig.spans().0.len(), 20_000);
    let stats = rig.provider.stats();
    assert_eq!(
        (stats.sampled, stats.open, stats.threads),
        (20_000, 0, 0),
        "{stats:?}"
    );
    let stats = handle.stats();
    assert_eq!(
        (stats.open, stats.rejected_spans, stats.replaced_spans),
        (0, 0, 0),
        "{stats:?}"
    );
}

#[test]
fn threads_that_share_spans_lose_nothing() {
    const THREADS: usize = 4;
    const ROUNDS: usize = if cfg!(tsan) { 100 } else { 500 };
    let (spans, stats) = returns(|| {
        let rig = Rig::new();
        let layer = zerospan_tracing::layer(&rig.provider);
        let handle = layer.handle();
        let dispatch = Dispatch::new(Registry::default().with(layer));
        let shared: Vec<Span> = tracing::dispatcher::with_default(&dispatch, || {
            (0..ROUNDS)
                .map(|_| info_span!("shared", late = tracing::field::Empty))
                .collect()
        });
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let (shared, dispatch) = (shared.clone(), &dispatch);
                scope.spawn(move || {
                    tracing::dispatcher::with_default(dispatch, || {
                        for (round, span) in shared.into_iter().enumerate() {
                            span.in_scope(|| {
                                info!(thread, "event");
                                span.record("late", round);
                                let other = info_span!("child", thread);
                                span.follows_from(&other);
                            });
                            // The last of the threads closes it.
                            drop(span);
                        }
                    });
                });
            }
            drop(shared);
        });
        let spans = rig.spans();
        assert!(rig.provider.stats().is_balanced());
        (spans, handle.stats())
    });
    assert_eq!(spans.0.len(), ROUNDS * (THREADS + 1));
    for span in spans.0.iter().filter(|span| span.name == "shared") {
        assert_eq!((span.events.len(), span.links.len()), (THREADS, THREADS));
        // A time that two threads spend in a span is spent once.
        let elapsed = span.end_time_unix_nano - span.start_time_unix_nano;
        let busy = crate::support::value(&span.attributes, "busy_ns");
        assert!(
            matches!(busy, opentelemetry_proto::tonic::common::v1::any_value::Value::IntValue(busy) if busy as u64 <= elapsed + 1_000_000),
            "{busy:?} of {elapsed}"
        );
    }
    assert_eq!(
        (stats.open, stats.rejected_spans, stats.replaced_spans),
        (0, 0, 0),
        "{stats:?}"
    );
}
