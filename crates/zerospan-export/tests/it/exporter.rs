//! The exporter's rows of the specification, each a test that is named after it: what goes over the wire.

use crate::collector::{Authority, Collector, Reply};
use crate::support::{batch_from, eventually, from, quick, received, record, scope};
use std::time::{Duration, Instant};
use zerospan_export::{Compression, DropCause, OtlpConfig, Pipeline, Protocol, RetryPolicy};

const BOTH: [Protocol; 2] = [Protocol::HttpProtobuf, Protocol::Grpc];
const LONG: Duration = Duration::from_secs(5);

/// Sends one span as `config` says.
fn send(config: OtlpConfig) -> Pipeline {
    let pipeline = quick().with_otlp(config).build().unwrap();
    record(&pipeline, &scope("rows"), 0..1);
    assert_eq!(pipeline.force_flush(LONG), Ok(()));
    pipeline
}

/// The path that a request for the endpoint in these variables goes to.
fn path_of(vars: &[(&str, &str)]) -> String {
    let collector = Collector::start(Protocol::HttpProtobuf);
    let base = format!("http://{}", collector.address);
    let vars: Vec<(&str, String)> = vars
        .iter()
        .map(|(name, value)| (*name, value.replace("BASE", &base)))
        .collect();
    let vars: Vec<(&str, &str)> = vars
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let (config, errors) = from(&vars);
    assert_eq!(errors, []);
    send(config);
    let heads = collector.heads();
    heads[0].split(' ').nth(1).unwrap().to_owned()
}

#[test]
fn the_endpoint_for_all_signals_gets_v1_traces_appended() {
    let all = "OTEL_EXPORTER_OTLP_ENDPOINT";
    assert_eq!(path_of(&[(all, "BASE")]), "/v1/traces");
    assert_eq!(path_of(&[(all, "BASE/")]), "/v1/traces");
    assert_eq!(path_of(&[(all, "BASE/otlp/in")]), "/otlp/in/v1/traces");
    assert_eq!(path_of(&[(all, "BASE/otlp/in/")]), "/otlp/in/v1/traces");
}

#[test]
fn the_endpoint_for_traces_is_used_as_it_stands_and_wins() {
    let (all, traces) = (
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    );
    assert_eq!(
        path_of(&[(traces, "BASE/in"), (all, "http://127.0.0.1:1")]),
        "/in"
    );
    assert_eq!(path_of(&[(traces, "BASE")]), "/");
}

#[test]
fn code_wins_over_both() {
    let collector = Collector::start(Protocol::HttpProtobuf);
    let (config, _) = from(&[
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:1/x"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "key=environment,other=kept"),
    ]);
    send(
        config
            .with_endpoint(format!("http://{}/code", collector.address))
            .with_header("key", "code"),
    );
    let head = collector.heads().remove(0);
    assert!(head.starts_with("POST /code "), "{head}");
    assert!(
        head.contains("key: code\r\n") && head.contains("other: kept\r\n"),
        "{head}"
    );
}

#[test]
fn the_protocol_is_grpc_or_http_protobuf() {
    for protocol in BOTH {
        let collector = Collector::start(protocol);
        let (config, errors) = from(&[
            ("OTEL_EXPORTER_OTLP_PROTOCOL", &protocol.to_string()),
            (
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                &format!("http://{}", collector.address),
            ),
        ]);
        assert_eq!(errors, []);
        send(config);
        assert_eq!(collector.requests().len(), 1);
    }
}

#[test]
fn headers_are_percent_decoded_and_sent_with_each_request() {
    for protocol in BOTH {
        let collector = Collector::start(protocol);
        let (config, errors) = from(&[
            ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=all"),
            (
                "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
                "api-key=a%20b%2Cc%3Dd , Authorization=Basic%20QQ==",
            ),
        ]);
        assert_eq!(errors, []);
        let url = format!("http://{}/v1/traces", collector.address);
        send(config.with_protocol(protocol).with_endpoint(url));
        let head = collector.heads().remove(0);
        assert!(head.contains("a b,c=d"), "{head}");
        assert!(head.contains("Basic QQ=="), "{head}");
    }
}

#[test]
fn the_user_agent_names_this_project() {
    let agent = concat!("OTel-OTLP-Exporter-zerospan/", env!("CARGO_PKG_VERSION"));
    for protocol in BOTH {
        let collector = Collector::start(protocol);
        send(collector.config());
        let head = collector.heads().remove(0);
        assert!(head.contains(agent), "{head}");
    }
}

#[test]
fn compression_is_gzip_or_none_over_each_protocol() {
    for protocol in BOTH {
        for (name, encoding) in [("gzip", true), ("none", false)] {
            let collector = Collector::start(protocol);
            let (config, errors) = from(&[("OTEL_EXPORTER_OTLP_COMPRESSION", name)]);
            assert_eq!(errors, []);
            let url = format!("http://{}/v1/traces", collector.address);
            send(config.with_protocol(protocol).with_endpoint(url));
            assert_eq!(received(&collector.requests())["rows"], [0]);
            let head = collector.heads().remove(0).to_lowercase();
            let is_gzip = head.contains("encoding: gzip") || head.contains("encoding\": \"gzip");
            assert_eq!(is_gzip, encoding, "{head}");
        }
    }
}

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
            ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "250"),
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
            (Duration::from_millis(240)..Duration::from_millis(1500)).contains(&took),
            "{took:?}"
        );
        assert_eq!(pipeline.stats().attempts, 3);
    }
}

#[test]
fn tls_and_mutual_tls_with_certificates_from_files_in_the_environment() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let ca = file("ca.pem", &authority.pem);
    let client = authority.issue();
    let certificate = file("client.pem", &client.certificate);
    let key = file("client.key", &client.key);
    for protocol in BOTH {
        let plain = Collector::with_tls(protocol, &authority, false);
        let mutual = Collector::with_tls(protocol, &authority, true);
        let (trusting, errors) = from(&[("OTEL_EXPORTER_OTLP_CERTIFICATE", &ca)]);
        assert_eq!(errors, []);
        let (identified, errors) = from(&[
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", &ca),
            ("OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE", &certificate),
            ("OTEL_EXPORTER_OTLP_CLIENT_KEY", &key),
        ]);
        assert_eq!(errors, []);
        let at = |config: &OtlpConfig, collector: &Collector| {
            let url = format!("https://localhost:{}/v1/traces", collector.address.port());
            config.clone().with_protocol(protocol).with_endpoint(url)
        };
        send(at(&trusting, &plain));
        send(at(&identified, &plain));
        send(at(&identified, &mutual));
        assert_eq!((plain.requests().len(), mutual.requests().len()), (2, 1));
        let pipeline = quick().with_otlp(at(&trusting, &mutual)).build().unwrap();
        record(&pipeline, &scope("rows"), 0..1);
        assert!(
            pipeline.force_flush(LONG).is_err(),
            "no client certificate, no entry"
        );
        assert_eq!(mutual.requests().len(), 1);
    }
}

#[test]
fn the_export_timeout_of_the_batch_holds_when_it_is_shorter() {
    let collector = Collector::scripted(Protocol::HttpProtobuf, |_| Reply::Hang);
    let (batch, _) = batch_from(&[("OTEL_BSP_EXPORT_TIMEOUT", "150")]);
    let pipeline = Pipeline::builder()
        .with_otlp(collector.config())
        .with_batch(batch)
        .build()
        .unwrap();
    record(&pipeline, &scope("rows"), 0..1);
    let start = Instant::now();
    assert!(pipeline.force_flush(LONG).is_err());
    assert!(start.elapsed() < Duration::from_millis(1500));
}

#[test]
fn gzip_in_code_is_the_same_as_in_the_environment() {
    let collector = Collector::start(Protocol::HttpProtobuf);
    send(collector.config().with_compression(Compression::Gzip));
    assert!(
        collector.heads()[0]
            .to_lowercase()
            .contains("content-encoding: gzip")
    );
}

#[test]
fn retry_after_may_be_a_date_and_holds_for_the_next_request_too() {
    // The date has a resolution of one second: two seconds ahead are at least one.
    let collector = Collector::scripted(Protocol::HttpProtobuf, |call| match call {
        0 => Reply::BusyUntil(std::time::SystemTime::now() + Duration::from_secs(2)),
        _ => Reply::Take,
    });
    let pipeline = quick().with_otlp(collector.config()).build().unwrap();
    let start = Instant::now();
    record(&pipeline, &scope("rows"), 0..1);
    assert!(
        pipeline.force_flush(LONG).is_err(),
        "300 ms are over before the date"
    );
    assert!(
        start.elapsed() < Duration::from_millis(900),
        "so it is given up at once"
    );
    record(&pipeline, &scope("rows"), 1..2);
    assert_eq!(pipeline.force_flush(LONG), Ok(()));
    assert!(
        start.elapsed() >= Duration::from_millis(990),
        "and the next waits for it"
    );
    assert_eq!(collector.calls(), 2);
}

#[test]
fn a_connection_is_kept_from_one_request_to_the_next() {
    let collector = Collector::start(Protocol::HttpProtobuf);
    let pipeline = quick().with_otlp(collector.config()).build().unwrap();
    for number in 0..5 {
        record(&pipeline, &scope("rows"), number..number + 1);
        assert_eq!(pipeline.force_flush(LONG), Ok(()));
    }
    assert_eq!((collector.calls(), collector.connections()), (5, 1));
}

#[test]
fn redirects_are_not_followed() {
    let collector = Collector::scripted(Protocol::HttpProtobuf, |_| {
        Reply::Raw(
            "HTTP/1.1 307 Temporary Redirect\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n",
        )
    });
    let pipeline = quick().with_otlp(collector.config()).build().unwrap();
    record(&pipeline, &scope("rows"), 0..1);
    assert!(pipeline.force_flush(LONG).is_err());
    assert_eq!(collector.calls(), 1);
}

#[test]
fn a_shutdown_does_not_wait_for_a_collector_that_wants_nothing_yet() {
    let collector = Collector::scripted(Protocol::HttpProtobuf, |_| Reply::Busy {
        throttled: true,
        wait: Some(Duration::from_secs(60)),
    });
    let pipeline = quick().with_otlp(collector.config()).build().unwrap();
    record(&pipeline, &scope("rows"), 0..1);
    assert!(pipeline.force_flush(LONG).is_err());
    record(&pipeline, &scope("rows"), 1..4);
    let start = Instant::now();
    assert!(pipeline.shutdown(Duration::from_millis(100)).is_err());
    assert!(start.elapsed() < Duration::from_millis(1500));
    let stats = eventually(&pipeline, |stats| stats.pending() == 0);
    assert_eq!(stats.dropped.by(DropCause::Unavailable), 1, "{stats:?}");
    assert_eq!(stats.dropped.by(DropCause::ShutdownTimeout), 3, "{stats:?}");
    assert_eq!(collector.calls(), 1);
}
