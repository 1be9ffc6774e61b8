//! Settings from code and from the environment: which are used, and what is said about those that cannot be.

use crate::collector::Authority;
use crate::support::{batch_from, from, quick, record, scope};
use std::time::Duration;
use zerospan_export::{
    BatchConfig, ConfigError, DropCause, InMemoryTransport, OtlpConfig, Pipeline, RetryPolicy,
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
        (300, 40)
    );

    let (batch, errors) = batch_from(&[
        ("OTEL_BSP_SCHEDULE_DELAY", "soon"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "-5"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4096"),
    ]);
    assert_eq!(batch, BatchConfig::default());
    let named = [
        "SCHEDULE_DELAY cannot be `soon`",
        "EXPORT_TIMEOUT cannot be `-5`",
        "QUEUE_SIZE cannot be `0`",
        "BATCH_SIZE cannot be `4096`: give 1 to OTEL_BSP_MAX_QUEUE_SIZE, which is 2048",
    ];
    assert_eq!(errors.len(), 4);
    for name in named {
        assert!(
            errors.iter().any(|error| error.contains(name)),
            "{name}: {errors:?}"
        );
    }
    assert_eq!(
        batch_from(&[("OTEL_BSP_MAX_QUEUE_SIZE", "100")])
            .0
            .max_export_batch_size,
        100
    );
}

#[test]
fn a_variable_that_cannot_be_used_is_named_with_its_value_and_ignored() {
    let missing = "/no/such/file.pem";
    for (variable, value, accepted) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318", "http://"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "ftp://x", "http://"),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "http://x:99999",
            "1 to 65535",
        ),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://[::1", "URL"),
        (
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "http/json",
            "grpc or http/protobuf",
        ),
        (
            "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
            "zstd",
            "gzip or none",
        ),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s", "milliseconds"),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "0", "milliseconds"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", missing, "PEM"),
        ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", missing, "PEM"),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", missing, "PEM"),
    ] {
        let (_, errors) = from(&[(variable, value)]);
        assert_eq!(errors.len(), 1, "{variable}");
        assert_eq!((errors[0].setting(), errors[0].value()), (variable, value));
        assert!(errors[0].accepted().contains(accepted), "{}", errors[0]);
    }
    // Values of headers may be secrets: the name alone is shown, and the other pairs are used.
    let (config, errors) = from(&[("OTEL_EXPORTER_OTLP_HEADERS", "a b=secret,ok=1,c=%ff,none")]);
    let text = format!("{errors:?} {config:?}");
    assert_eq!(errors.len(), 3);
    assert!(
        !text.contains("secret") && text.contains("a b=...") && text.contains("\"ok\""),
        "{text}"
    );
    // What is empty is not there.
    assert_eq!(from(&[("OTEL_EXPORTER_OTLP_PROTOCOL", " ")]).1, []);
}

#[test]
fn a_setting_in_code_that_cannot_be_used_is_an_error_of_the_build() {
    let otlp = |config: OtlpConfig| Pipeline::builder().with_otlp(config).build().map(|_| ());
    let named = |outcome: Result<(), ConfigError>| outcome.unwrap_err().to_string();
    let new = OtlpConfig::new;
    assert!(
        named(otlp(new().with_endpoint("nonsense"))).starts_with("endpoint cannot be `nonsense`")
    );
    assert!(named(otlp(new().with_endpoint("http://u:p@x/"))).contains("header"));
    assert!(
        named(otlp(new().with_header("bad name", "x")))
            .starts_with("header cannot be `bad name=...`")
    );
    assert!(
        named(otlp(new().with_header("name", "a\nb"))).starts_with("header cannot be `name=...`")
    );
    assert!(named(otlp(new().with_timeout(Duration::ZERO))).starts_with("timeout cannot be `0`"));
    let secure = || new().with_endpoint("https://localhost:1/v1/traces");
    assert!(
        named(otlp(secure().with_certificate_file("/no/such.pem")))
            .starts_with("certificate_file cannot be `/no/such.pem`")
    );
    assert!(
        named(otlp(secure().with_certificate_pem("junk"))).starts_with("certificate_pem cannot be")
    );
    let (one, other) = (Authority::new().issue(), Authority::new().issue());
    let mixed = secure()
        .with_certificate_pem(Authority::new().pem.clone())
        .with_client_identity_pem(one.certificate, other.key);
    assert!(named(otlp(mixed)).starts_with("client_identity_pem (key) cannot be"));

    let batch = |change: fn(&mut BatchConfig)| {
        let mut batch = BatchConfig::default();
        change(&mut batch);
        named(
            Pipeline::builder()
                .with_otlp(OtlpConfig::new())
                .with_batch(batch)
                .build()
                .map(|_| ()),
        )
    };
    assert!(
        batch(|batch| batch.max_export_batch_size = 4096).starts_with(
            "max_export_batch_size cannot be `4096`: give 1 to max_queue_size, which is 2048"
        )
    );
    assert!(batch(|batch| batch.chunk_bytes = 1).starts_with("chunk_bytes"));
    assert!(batch(|batch| batch.max_request_bytes = 1).starts_with("max_request_bytes"));
    assert!(batch(|batch| batch.max_memory_bytes = 1).starts_with("max_memory_bytes"));
    assert!(named(Pipeline::builder().build().map(|_| ())).starts_with("transport"));
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
fn a_client_certificate_in_the_environment_that_cannot_be_used_is_reported_and_ignored() {
    let (config, errors) = OtlpConfig::from_vars(|name| match name {
        "OTEL_EXPORTER_OTLP_ENDPOINT" => Some("https://localhost:1".to_owned()),
        "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE" => Some("/no/such.pem".to_owned()),
        "OTEL_EXPORTER_OTLP_CLIENT_KEY" => Some("/no/such.key".to_owned()),
        _ => None,
    });
    let [error] = &errors[..] else {
        panic!("{errors:?}");
    };
    assert_eq!(error.setting(), "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE");
    assert_eq!(error.value(), "/no/such.pem");
    assert!(quick().with_otlp(config).build().is_ok());
}

#[test]
fn a_password_in_a_url_is_never_shown() {
    for url in [
        "http://user:hunter2@localhost",
        "ftp://user:hunter2@localhost",
        "user:hunter2@localhost",
        "http://user:hunter2@local host",
        "http://user:hunter/2@localhost",
    ] {
        let config = OtlpConfig::new().with_endpoint(url);
        assert!(!format!("{config:?}").contains("hunter"), "{config:?}");
        let error = Pipeline::builder().with_otlp(config).build().unwrap_err();
        assert!(!error.to_string().contains("hunter"), "{url}: {error}");
        let (_, errors) = OtlpConfig::from_vars(|name| {
            (name == "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").then(|| url.to_owned())
        });
        let [error] = &errors[..] else {
            panic!("{url}: {errors:?}");
        };
        assert!(!error.to_string().contains("hunter"), "{url}: {error}");
    }
}

#[test]
fn a_certificate_file_that_cannot_be_read_is_an_error_whatever_the_scheme() {
    for url in ["http://localhost:1", "https://localhost:1"] {
        let config = OtlpConfig::new()
            .with_endpoint(url)
            .with_certificate_file("/no/such.pem");
        let error = Pipeline::builder().with_otlp(config).build().unwrap_err();
        let named = (error.setting(), error.value());
        assert_eq!(named, ("certificate_file", "/no/such.pem"));
    }
}

#[test]
fn headers_of_the_transport_are_refused_in_code_and_ignored_in_the_environment() {
    for name in [
        "Content-Length",
        "content-type",
        "Host",
        "te",
        "Transfer-Encoding",
    ] {
        let config = OtlpConfig::new().with_header(name, "secret");
        let error = Pipeline::builder().with_otlp(config).build().unwrap_err();
        assert_eq!(error.setting(), "header");
        assert_eq!(error.value(), format!("{name}=..."));
        let (config, errors) = from(&[("OTEL_EXPORTER_OTLP_HEADERS", &format!("{name}=1,ok=1"))]);
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].value(), format!("{name}=..."));
        assert!(format!("{config:?}").contains("[\"ok\"]"), "{config:?}");
    }
}

#[test]
fn a_collector_that_is_not_used_is_checked_all_the_same() {
    let config = OtlpConfig::new().with_endpoint("nonsense");
    let builder = Pipeline::builder()
        .with_otlp(config)
        .with_transport(InMemoryTransport::new());
    assert_eq!(builder.build().unwrap_err().setting(), "endpoint");
}

proptest::proptest! {
    #[test]
    fn no_environment_makes_it_panic_and_what_is_ignored_is_named(
        endpoint in "(http|https|ftp|)(://|:|/|)[ -~]{0,20}",
        headers in "([a-z %=,]|\\PC){0,40}",
        number in "(-|)[0-9]{0,25}[a-z]?",
        other in "\\PC{0,12}",
    ) {
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", endpoint.as_str()),
            ("OTEL_EXPORTER_OTLP_HEADERS", headers.as_str()),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", number.as_str()),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", other.as_str()),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", other.as_str()),
        ];
        let (config, errors) = from(&variables);
        for error in errors {
            assert!(variables.iter().any(|(name, _)| *name == error.setting()));
            assert!(!error.accepted().is_empty());
        }
        // What was not ignored can be used.
        if let Err(error) = quick().with_otlp(config).build() {
            assert!(error.setting() == "certificate", "{error}");
        }
        let (batch, _) = batch_from(&[
            ("OTEL_BSP_SCHEDULE_DELAY", &number),
            ("OTEL_BSP_MAX_QUEUE_SIZE", &number),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", &other),
        ]);
        assert!(batch.max_export_batch_size <= batch.max_queue_size);
    }
}
