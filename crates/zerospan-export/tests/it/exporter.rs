//! The timing that the specification asks of an exporter: timeouts, and the waits that a collector asks for.

use crate::collector::{Collector, Reply};
use crate::support::{BRIEF, LONG, batch_from, eventually, from, quick, record, scope};
use std::time::{Duration, Instant};
use zerospan_export::{DropCause, Pipeline, Protocol, RetryPolicy};

const BOTH: [Protocol; 2] = [Protocol::HttpProtobuf, Protocol::Grpc];

#[test]
fn the_timeout_in_milliseconds_is_for_the_whole_call_retries_included() {
    for protocol in BOTH {
        let collector = Collector::scripted(protocol, |call| match call {
            0 | 1 => Reply::Busy {
                throttled: false,
                wait: None,
            },
            _ => Reply::Hang,
        });
        let (config, errors) = from(&[
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "60000"),
            ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "1500"),
        ]);
        assert_eq!(errors, []);
        let url = format!("http://{}/v1/traces", collector.address);
        let pipeline = Pipeline::builder()
            .with_otlp(config.with_protocol(protocol).with_endpoint(url))
            .with_retry(
                RetryPolicy::default()
                    .with_waits(Duration::from_millis(30), Duration::from_millis(30)),
            )
            .build()
            .unwrap();
        record(&pipeline, &scope("rows"), 0..1);
        let start = Instant::now();
        assert!(pipeline.force_flush(LONG).is_err());
        let took = start.elapsed();
        assert!(
            (Duration::from_millis(1490)..BRIEF).contains(&took),
            "{took:?}"
        );
        assert_eq!(pipeline.stats().attempts, 3);
    }
}

#[test]
fn the_export_timeout_of_the_batch_holds_when_it_is_shorter() {
    let collector = Collector::scripted(Protocol::HttpProtobuf, |_| Reply::Hang);
    let (batch, _) = batch_from(&[("OTEL_BSP_EXPORT_TIMEOUT", "150")]);
    let pipeline = Pipeline::builder()
        .with_otlp(collector.config())
        .with_timeout(LONG)
        .with_batch(batch)
        .build()
        .unwrap();
    record(&pipeline, &scope("rows"), 0..1);
    let start = Instant::now();
    assert!(pipeline.force_flush(LONG).is_err());
    assert!(start.elapsed() < BRIEF, "{:?}", start.elapsed());
}

#[test]
fn retry_after_may_be_a_date_and_holds_for_the_next_request_too() {
    // The date has a resolution of one second: five seconds ahead are at least four.
    let collector = Collector::scripted(Protocol::HttpProtobuf, |call| match call {
        0 => Reply::BusyUntil(std::time::SystemTime::now() + Duration::from_secs(5)),
        _ => Reply::Take,
    });
    let pipeline = quick()
        .with_otlp(collector.config())
        .with_timeout(Duration::from_secs(3))
        .build()
        .unwrap();
    let start = Instant::now();
    record(&pipeline, &scope("rows"), 0..1);
    assert!(
        pipeline.force_flush(LONG).is_err(),
        "3 s are over before the date"
    );
    assert!(
        start.elapsed() < Duration::from_secs(3),
        "so it is given up at once"
    );
    record(&pipeline, &scope("rows"), 1..2);
    assert_eq!(pipeline.force_flush(LONG), Ok(()));
    assert!(
        start.elapsed() >= Duration::from_millis(3990),
        "and the next waits for it"
    );
    assert_eq!(collector.calls(), 2);
}

#[test]
fn a_shutdown_does_not_wait_for_a_collector_that_wants_nothing_yet() {
    let collector = Collector::scripted(Protocol::HttpProtobuf, |_| Reply::Busy {
        throttled: true,
        wait: Some(Duration::from_secs(60)),
    });
    let pipeline = quick()
        .with_otlp(collector.config())
        .with_timeout(LONG)
        .build()
        .unwrap();
    record(&pipeline, &scope("rows"), 0..1);
    assert!(pipeline.force_flush(LONG).is_err());
    record(&pipeline, &scope("rows"), 1..4);
    let start = Instant::now();
    assert!(pipeline.shutdown(Duration::from_millis(100)).is_err());
    assert!(start.elapsed() < BRIEF, "{:?}", start.elapsed());
    let stats = eventually(&pipeline, |stats| stats.pending() == 0);
    assert_eq!(stats.dropped.by(DropCause::Unavailable), 1, "{stats:?}");
    assert_eq!(stats.dropped.by(DropCause::ShutdownTimeout), 3, "{stats:?}");
    assert_eq!(collector.calls(), 1);
}
