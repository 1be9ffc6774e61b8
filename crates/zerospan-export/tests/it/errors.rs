//! The errors of a flush and a shutdown.

use crate::collector::{Collector, Reply, vacant};
use crate::support::{BRIEF, LONG, from, quick, record, scope};
use std::error::Error;
use std::time::{Duration, Instant};
use zerospan_export::{DropCause, FlushError, OtlpConfig, Pipeline, Protocol, ShutdownError};

/// Long enough for an attempt.
const SHORT: Duration = Duration::from_secs(1);

/// Returns the text of an error's source.
fn source(error: &dyn Error) -> String {
    error.source().expect("a cause").to_string()
}

#[test]
fn without_a_collector_flush_and_shutdown_say_why_and_where() {
    let url = format!("http://{}/v1/traces?api-key=hunter2", vacant());
    for inline in [false, true] {
        let builder = || {
            let builder = quick().with_otlp(OtlpConfig::new().with_endpoint(&*url));
            if inline {
                builder.without_worker()
            } else {
                builder
            }
        };
        let check = |error: &dyn Error| {
            let source = source(error);
            for part in ["could not be reached", &url[..url.len() - 16], "refused"] {
                assert!(source.contains(part), "{part}: {source}");
            }
            assert!(
                !format!("{source} {error:?}").contains("hunter2"),
                "{error:?}"
            );
        };
        let pipeline = builder()
            .with_timeout(LONG)
            .with_drop_timeout(SHORT)
            .build()
            .unwrap();
        record(&pipeline, &scope("lost"), 0..1);
        let error = pipeline.force_flush(SHORT).unwrap_err();
        assert!(matches!(
            error,
            FlushError::TimedOut { pending: 1, .. } | FlushError::Lost { .. }
        ));
        check(&error);
        let pipeline = builder().build().unwrap();
        record(&pipeline, &scope("lost"), 0..1);
        let error = pipeline.force_flush(LONG).unwrap_err();
        assert!(
            matches!(error, FlushError::Lost { lost: 1, .. }),
            "{error:?}"
        );
        check(&error);
        let pipeline = builder()
            .with_timeout(LONG)
            .with_drop_timeout(SHORT)
            .build()
            .unwrap();
        record(&pipeline, &scope("lost"), 0..1);
        let error = pipeline.shutdown(SHORT).unwrap_err();
        assert!(matches!(error, ShutdownError::Lost { .. }), "{error:?}");
        check(&error);
    }
}

#[test]
fn a_collector_that_does_not_answer_is_named() {
    let collector = Collector::scripted(Protocol::HttpProtobuf, |_| Reply::Hang);
    let pipeline = quick().with_otlp(collector.config()).build().unwrap();
    record(&pipeline, &scope("lost"), 0..1);
    let error = pipeline.shutdown(LONG).unwrap_err();
    let address = collector.address.to_string();
    assert!(source(&error).contains(&address), "{error:?}");
}

#[test]
fn a_shutdown_reports_what_was_pending_and_not_what_was_lost_before() {
    let collector = Collector::scripted(Protocol::HttpProtobuf, |call| match call {
        0 => Reply::Refuse,
        _ => Reply::Take,
    });
    let pipeline = quick().with_otlp(collector.config()).build().unwrap();
    record(&pipeline, &scope("lost"), 0..1);
    let error = pipeline.force_flush(LONG).unwrap_err();
    assert!(source(&error).contains("400 Bad Request"), "{error:?}");
    assert!(
        !format!("{error:?}").contains("malformed"),
        "the collector's words"
    );
    record(&pipeline, &scope("lost"), 1..2);
    assert_eq!(pipeline.shutdown(LONG), Ok(()));
    assert_eq!(pipeline.stats().dropped.by(DropCause::Refused), 1);
}

#[test]
fn an_endpoint_that_cannot_be_used_is_the_cause_and_nothing_is_waited_for() {
    let (otlp, _) = from(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "htp://collector:4318")]);
    let pipeline = Pipeline::builder()
        .with_otlp(otlp)
        .with_timeout(LONG)
        .build()
        .unwrap();
    record(&pipeline, &scope("lost"), 0..1);
    let start = Instant::now();
    let error = pipeline.shutdown(LONG).unwrap_err();
    assert!(start.elapsed() < BRIEF, "{:?}", start.elapsed());
    assert!(
        source(&error).contains("OTEL_EXPORTER_OTLP_ENDPOINT"),
        "{error:?}"
    );
}
