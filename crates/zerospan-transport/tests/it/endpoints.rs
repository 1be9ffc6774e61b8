//! The forms of an endpoint, and what an environment with another one leads to.

use crate::collector::{Authority, Collector};
use crate::support::{from, try_send};
use zerospan_transport::{OtlpConfig, Protocol, RetryHint, Signal};

fn grpc() -> OtlpConfig {
    OtlpConfig::new().with_protocol(Protocol::Grpc)
}

#[test]
fn grpc_takes_names_in_code_and_in_the_environment() {
    let collector = Collector::start(Protocol::Grpc);
    let port = collector.address.port();
    let mut sent = 0;
    for endpoint in [
        format!("127.0.0.1:{port}"),
        format!("localhost:{port}"),
        format!("dns:localhost:{port}"),
        format!("dns:///127.0.0.1:{port}"),
        format!("ipv4:127.0.0.1:{port}"),
        format!("http://localhost:{port}"),
        format!("HTTP://localhost:{port}/ignored"),
    ] {
        try_send(&grpc().with_endpoint(&endpoint)).unwrap();
        for name in [
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        ] {
            let (config, errors) =
                from(&[("OTEL_EXPORTER_OTLP_PROTOCOL", "GRPC"), (name, &endpoint)]);
            assert_eq!(errors, []);
            try_send(&config).unwrap();
        }
        sent += 3;
        assert_eq!(collector.requests().len(), sent, "{endpoint}");
    }
}

#[test]
#[cfg(unix)]
fn grpc_takes_unix_sockets() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("otel.sock");
    let collector = Collector::start(Protocol::Grpc);
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    // Before the collector there is a relay: the socket is the client's affair.
    let to = collector.address;
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (client, server) = (client.unwrap(), std::net::TcpStream::connect(to).unwrap());
            let (mut from_client, mut to_client) = (client.try_clone().unwrap(), client);
            let (mut from_server, mut to_server) = (server.try_clone().unwrap(), server);
            std::thread::spawn(move || std::io::copy(&mut from_client, &mut to_server));
            std::thread::spawn(move || std::io::copy(&mut from_server, &mut to_client));
        }
    });
    for endpoint in [
        format!("unix:{}", path.display()),
        format!("unix://{}", path.display()),
    ] {
        try_send(&grpc().with_endpoint(&endpoint)).unwrap();
        let (config, errors) = from(&[
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
        ]);
        assert_eq!(errors, []);
        try_send(&config).unwrap();
    }
    assert_eq!(collector.requests().len(), 4);
    let error = try_send(&grpc().with_endpoint("unix:/no/such/socket")).unwrap_err();
    assert!(error.message.contains("unix:/no/such/socket"), "{error}");
}

#[test]
fn insecure_decides_about_tls_where_the_endpoint_does_not() {
    let authority = Authority::new();
    let secure = Collector::with_tls(Protocol::Grpc, &authority, false);
    let plain = Collector::start(Protocol::Grpc);
    let at = |collector: &Collector| format!("localhost:{}", collector.address.port());
    let with = |endpoint: &str, insecure: &str| {
        let (config, errors) = from(&[
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
            ("OTEL_EXPORTER_OTLP_INSECURE", insecure),
        ]);
        assert_eq!(errors, []);
        try_send(&config.with_certificate_pem(authority.pem.clone()))
    };
    with(&at(&secure), "False").unwrap();
    with(&at(&plain), "TRUE").unwrap();
    // A scheme has the last word.
    with(&format!("https://{}", at(&secure)), "true").unwrap();
    with(&format!("http://{}", at(&plain)), "false").unwrap();
    assert!(with(&at(&plain), "false").is_err());
    let in_code = |endpoint: String, insecure| {
        let config = grpc().with_endpoint(endpoint).with_insecure(insecure);
        try_send(&config.with_certificate_pem(authority.pem.clone()))
    };
    in_code(at(&secure), false).unwrap();
    in_code(at(&plain), true).unwrap();
    assert!(in_code(at(&plain), false).is_err());
    // Another host is never sent to without TLS, unless the user says so.
    let (config, _) = from(&[
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector.example:4317"),
    ]);
    let connector = format!("{:?}", config.connector(Signal::Traces));
    assert!(connector.contains("is_secure: true"), "{connector}");
}

#[test]
fn an_endpoint_in_the_environment_that_cannot_be_used_sends_nothing_anywhere() {
    let elsewhere = Collector::start(Protocol::HttpProtobuf);
    let elsewhere_url = format!("http://{}", elsewhere.address);
    for (protocol, value) in [
        ("http/protobuf", "htp://collector:4318"),
        ("http/protobuf", "collector:4318"),
        ("http/protobuf", "unix:/run/otel.sock"),
        ("grpc", "htp://collector:4318"),
        ("grpc", "collector:port"),
    ] {
        let (config, errors) = from(&[
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", value),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &elsewhere_url),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=secret"),
        ]);
        assert_eq!(errors.len(), 1, "{errors:?}");
        let error = try_send(&config).unwrap_err();
        assert_eq!(error.retry, RetryHint::Never);
        assert!(error.message.contains(value), "{error}");
        assert_eq!(elsewhere.calls(), 0);
    }
    // Code has the last word.
    let (config, _) = from(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318")]);
    try_send(&config.with_endpoint(&elsewhere_url)).unwrap();
    assert_eq!(elsewhere.calls(), 1);
}

#[test]
fn enumerations_are_read_in_any_case() {
    for (protocol, compression) in [
        ("GRPC", "GZIP"),
        ("Http/Protobuf", "None"),
        ("grpc", "gZip"),
    ] {
        let (_, errors) = from(&[
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", protocol),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", compression),
            ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", compression),
            ("OTEL_EXPORTER_OTLP_INSECURE", "TRUE"),
        ]);
        assert_eq!(errors, []);
    }
}
