//! Times and limits.

use crate::support::{Rig, exported, try_value, value};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_sdk::trace::SpanLimits;
use std::thread::sleep;
use std::time::{Duration, Instant};
use tracing::{info, info_span};

const SHORT: Duration = Duration::from_millis(40);

/// The tolerated difference between a span's time and the test's, in nanoseconds: they are read from two clocks.
const SLACK: u64 = SHORT.as_nanos() as u64 / 4;

fn nanos(span: &Span, key: &str) -> u64 {
    match value(&span.attributes, key) {
        Value::IntValue(nanos) => u64::try_from(nanos).expect("not negative"),
        other => panic!("{key} is {other:?}"),
    }
}

/// Runs `body` and returns the time that it took, in nanoseconds.
fn timed(body: impl FnOnce()) -> u64 {
    let start = Instant::now();
    body();
    start.elapsed().as_nanos() as u64
}

fn duration(span: &Span) -> u64 {
    span.end_time_unix_nano - span.start_time_unix_nano
}

#[test]
fn time_in_a_span_that_is_entered_twice_is_counted_once() {
    let (mut here, mut elsewhere) = (0, 0);
    let spans = exported(|| {
        let span = info_span!("here");
        here = timed(|| span.in_scope(|| span.in_scope(|| sleep(SHORT))));
        sleep(SHORT);
        let span = info_span!("elsewhere");
        elsewhere = timed(|| {
            let _entered = span.enter();
            std::thread::scope(|scope| {
                scope.spawn(|| span.in_scope(|| sleep(SHORT)));
            });
        });
    });
    let short = SHORT.as_nanos() as u64;
    for (name, took) in [("here", here), ("elsewhere", elsewhere)] {
        let span = spans.named(name);
        let busy = nanos(span, "busy_ns");
        assert!((short..=took + SLACK).contains(&busy), "{took}: {span:#?}");
    }
}

#[test]
fn time_out_of_a_span_is_idle() {
    let mut busy = 0;
    let spans = exported(|| {
        let span = info_span!("span");
        sleep(SHORT);
        busy += timed(|| span.in_scope(|| {}));
        sleep(SHORT);
        busy += timed(|| span.in_scope(|| {}));
        // Not part of the span, which has been left.
        sleep(SHORT);
    });
    let span = spans.only();
    let short = SHORT.as_nanos() as u64;
    assert!(nanos(span, "idle_ns") >= 2 * short, "{span:#?}");
    assert!(nanos(span, "busy_ns") <= busy + SLACK, "{busy}: {span:#?}");
}

#[test]
fn a_span_ends_at_its_last_exit_or_last_write_whichever_is_later() {
    let short = SHORT.as_nanos() as u64;
    // Left, then held.
    let mut took = 0;
    let spans = exported(|| {
        let mut span = tracing::Span::none();
        took = timed(|| {
            span = info_span!("span", late = 1);
            span.in_scope(|| {});
        });
        sleep(3 * SHORT);
    });
    assert!(duration(spans.only()) <= took + SLACK, "{took}: {spans:#?}");
    // Left, held, then written to.
    let event = |span: &tracing::Span| info!(parent: span, "event");
    let record = |span: &tracing::Span| {
        span.record("late", 2);
    };
    for write in [&event as &dyn Fn(&tracing::Span), &record] {
        let spans = exported(|| {
            let mut span = tracing::Span::none();
            took = timed(|| {
                span = info_span!("span", late = 1);
                span.in_scope(|| {});
                sleep(SHORT);
                write(&span);
            });
            sleep(3 * SHORT);
        });
        let span = spans.only();
        let lasts = short - SLACK..=took + SLACK;
        assert!(lasts.contains(&duration(span)), "{took}: {spans:#?}");
        for event in &span.events {
            assert!(event.time_unix_nano <= span.end_time_unix_nano, "{span:#?}");
        }
    }
    // Never left: it ends when it is closed.
    let spans = exported(|| {
        let span = info_span!("span", late = 1);
        sleep(SHORT);
        event(&span);
        record(&span);
        sleep(2 * SHORT);
    });
    assert!(duration(spans.only()) >= 3 * short - SLACK, "{spans:#?}");
}

#[test]
fn limits_apply_when_something_is_added() {
    let limits = SpanLimits {
        max_events_per_span: 3,
        max_links_per_span: 2,
        max_attributes_per_span: 9,
        max_attributes_per_event: 3,
        ..SpanLimits::default()
    };
    let rig = Rig::with(|builder| builder.with_span_limits(limits));
    let spans = rig.run(|| {
        let span = info_span!("span", a = 1, b = 2, c = 3, d = 4, e = 5);
        let other = info_span!("other");
        for number in 0..10 {
            info!(parent: &span, number, a = 1, b = 2, "event");
            span.follows_from(&other);
        }
    });
    let span = spans.named("span");
    assert_eq!((span.events.len(), span.dropped_events_count), (3, 7));
    assert_eq!((span.links.len(), span.dropped_links_count), (2, 8));
    assert_eq!(span.attributes.len(), 9);
    assert!(span.dropped_attributes_count > 0);
    for event in &span.events {
        assert_eq!(event.attributes.len(), 3);
        assert!(event.dropped_attributes_count > 0);
    }
    assert_eq!(try_value(&span.attributes, "number"), None);
}
