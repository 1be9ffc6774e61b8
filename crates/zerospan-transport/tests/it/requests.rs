//! The requests that the specification asks for, over each protocol: paths, headers, compression, TLS.

use crate::collector::{Authority, Collector, Reply};
use crate::support::{BODY, from, request, try_send};
use zerospan_transport::{Compression, Connect, OtlpConfig, Protocol, SendErrorKind, Signal};

const BOTH: [Protocol; 2] = [Protocol::HttpProtobuf, Protocol::Grpc];

fn send(config: OtlpConfig) {
    try_send(&config).unwrap();
}

/// Returns the path that a request is sent to with the endpoint in these variables.
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
            assert_eq!(collector.requests(), [BODY]);
            let head = collector.heads().remove(0).to_lowercase();
            let is_gzip = head.contains("encoding: gzip") || head.contains("encoding\": \"gzip");
            assert_eq!(is_gzip, encoding, "{head}");
        }
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
        assert!(
            try_send(&at(&trusting, &mutual)).is_err(),
            "a collector that asks for a client certificate gets none"
        );
        assert_eq!(mutual.requests().len(), 1);
    }
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
fn a_connection_is_kept_from_one_request_to_the_next() {
    let collector = Collector::start(Protocol::HttpProtobuf);
    let connector = collector.config().connector(Signal::Traces).unwrap();
    let mut transport = connector.connect().unwrap();
    for _ in 0..5 {
        transport.send(&request()).unwrap();
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
    let error = try_send(&collector.config()).unwrap_err();
    assert_eq!(error.kind, SendErrorKind::Refused);
    assert_eq!(collector.calls(), 1);
}
