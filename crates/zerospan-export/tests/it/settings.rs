//! Settings from code and from the environment: which are used, and what is said about those that cannot be.

use crate::collector::Authority;
use crate::support::{batch, batch_from, from, quick, record, scope};
use std::time::Duration;
use zerospan_export::{
    BatchConfig, DropCause, InMemoryTransport, OtlpConfig, Pipeline, RetryPolicy,
};

#[test]
fn the_batch_variables_are_read_and_a_bad_one_is_reported_and_ignored() {
    let (batch, errors) = batch_from(&[
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "200"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "300"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "40"),
    ]);
    assert!(errors.is_empty());
    assert_eq!(batch.schedule_delay, Duration::from_millis(100));
    assert_eq!(batch.export_timeout, Duration::from_millis(200));
    assert_eq!(
        (batch.max_queue_size, batch.max_export_batch_size),
        (Some(300), Some(40))
    );

    let (batch, errors) = batch_from(&[
        ("OTEL_BSP_SCHEDULE_DELAY", "soon"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "-5"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "0"),
    ]);
    assert_eq!(batch, BatchConfig::default());
    let named = [
        "SCHEDULE_DELAY cannot be `soon`",
        "EXPORT_TIMEOUT cannot be `-5`",
        "QUEUE_SIZE cannot be `0`",
        "BATCH_SIZE cannot be `0`",
    ];
    assert_eq!(errors.len(), 4);
    for name in named {
        assert!(
            errors.iter().any(|error| error.contains(name)),
            "{name}: {errors:?}"
        );
    }
    let (batch, errors) = batch_from(&[
        ("OTEL_BSP_MAX_QUEUE_SIZE", "100"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4096"),
    ]);
    assert_eq!(
        (batch.max_queue_size, batch.max_export_batch_size),
        (Some(100), None)
    );
    let name = "BATCH_SIZE cannot be `4096`: give 1 to OTEL_BSP_MAX_QUEUE_SIZE, which is 100";
    assert!(errors[0].contains(name), "{errors:?}");
    // Without a size of the queue, any number of spans may be a request.
    let (batch, errors) = batch_from(&[("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4096")]);
    assert!(errors.is_empty());
    assert_eq!(batch.max_export_batch_size, Some(4096));
}

#[test]
fn a_retry_policy_that_spins_or_never_ends_is_an_error_of_the_build() {
    let refused = |change: fn(&mut RetryPolicy)| {
        let mut retry = RetryPolicy::default();
        change(&mut retry);
        let builder = Pipeline::builder()
            .with_transport(InMemoryTransport::new())
            .with_retry(retry);
        builder.build().unwrap_err().to_string()
    };
    let zero = refused(|retry| retry.initial = Duration::ZERO);
    assert_eq!(
        zero,
        "retry.initial cannot be `0ns`: give a time of at least 1 ms"
    );
    let short = refused(|retry| retry.max = Duration::from_millis(999));
    assert!(short.starts_with("retry.max cannot be `999ms`"), "{short}");
    for multiplier in [0.5, -1.0, f64::NAN, f64::INFINITY] {
        let mut retry = RetryPolicy::default();
        retry.multiplier = multiplier;
        let builder = Pipeline::builder()
            .with_transport(InMemoryTransport::new())
            .with_retry(retry);
        let error = builder.build().unwrap_err();
        assert_eq!(error.setting(), "retry.multiplier");
        assert_eq!(error.value(), multiplier.to_string());
    }
    for jitter in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        let mut retry = RetryPolicy::default();
        retry.jitter = jitter;
        let builder = Pipeline::builder()
            .with_transport(InMemoryTransport::new())
            .with_retry(retry);
        let error = builder.build().unwrap_err();
        assert_eq!(
            (error.setting(), error.accepted()),
            ("retry.jitter", "0 to 1")
        );
    }
}

#[test]
fn a_ca_in_the_environment_that_cannot_be_used_makes_requests_fail() {
    let (config, errors) = from(&[
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/no/such.pem"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://localhost:1"),
    ]);
    assert_eq!(errors.len(), 1);
    let pipeline = quick().with_otlp(config.clone()).build().unwrap();
    record(&pipeline, &scope("private"), 0..1);
    assert!(pipeline.force_flush(Duration::from_secs(2)).is_err());
    let stats = pipeline.stats();
    assert_eq!(stats.dropped.by(DropCause::Unreachable), 1, "{stats:?}");
    // There was nothing to try again: the system's roots are never asked.
    assert_eq!(stats.attempts, 1, "{stats:?}");
    // One in code takes its place.
    let config = config.with_certificate_pem(Authority::new().pem.clone());
    let pipeline = quick().with_otlp(config).build().unwrap();
    record(&pipeline, &scope("private"), 0..1);
    assert!(pipeline.force_flush(Duration::from_secs(2)).is_err());
    assert!(pipeline.stats().attempts > 1);
}

#[test]
fn a_collector_that_is_not_used_is_checked_all_the_same() {
    let config = OtlpConfig::new().with_endpoint("nonsense");
    let builder = Pipeline::builder()
        .with_otlp(config)
        .with_transport(InMemoryTransport::new());
    assert_eq!(builder.build().unwrap_err().setting(), "endpoint");
}

#[test]
fn a_batch_that_cannot_work_is_an_error_of_the_build() {
    let refused = |change: fn(&mut BatchConfig)| {
        let builder = Pipeline::builder()
            .with_transport(InMemoryTransport::new())
            .with_batch(batch(change));
        builder.build().unwrap_err().to_string()
    };
    let larger_than_the_queue = refused(|batch| {
        (batch.max_queue_size, batch.max_export_batch_size) = (Some(2048), Some(4096));
    });
    assert!(larger_than_the_queue.starts_with(
        "max_export_batch_size cannot be `4096`: give 1 to max_queue_size, which is 2048"
    ));
    let empty = refused(|batch| batch.max_export_batch_size = Some(0));
    assert!(empty.starts_with("max_export_batch_size cannot be `0`"));
    assert!(refused(|batch| batch.max_queue_size = Some(0)).starts_with("max_queue_size"));
    assert!(refused(|batch| batch.batch_bytes = 0).starts_with("batch_bytes"));
    assert!(refused(|batch| batch.chunk_bytes = 1).starts_with("chunk_bytes"));
    assert!(refused(|batch| batch.max_request_bytes = 1).starts_with("max_request_bytes"));
    assert!(refused(|batch| batch.max_memory_bytes = 1).starts_with("max_memory_bytes"));
    let error = Pipeline::builder().build().unwrap_err();
    assert_eq!(error.setting(), "transport");
    let never = OtlpConfig::new().with_timeout(Duration::ZERO);
    let error = Pipeline::builder().with_otlp(never).build().unwrap_err();
    assert!(
        error.to_string().starts_with("timeout cannot be `0`"),
        "{error}"
    );
}

proptest::proptest! {
    #[test]
    fn no_environment_makes_the_batch_panic_or_larger_than_the_queue(
        number in "(-|)[0-9]{0,25}[a-z]?",
        other in "\\PC{0,12}",
    ) {
        let (batch, _) = batch_from(&[
            ("OTEL_BSP_SCHEDULE_DELAY", &number),
            ("OTEL_BSP_MAX_QUEUE_SIZE", &number),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", &other),
        ]);
        let queue = batch.max_queue_size.unwrap_or(usize::MAX);
        assert!(batch.max_export_batch_size.is_none_or(|items| items <= queue));
    }
}
