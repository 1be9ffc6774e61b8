//! The settings of a collector, from code and from the environment: those that are used, and the errors about the others.

use crate::collector::Authority;
use crate::support::from;
use zerospan_transport::{ConfigError, OtlpConfig, Signal};

/// Returns the error that `config` leads to.
fn refused(config: &OtlpConfig) -> ConfigError {
    config.connector(Signal::Traces).unwrap_err()
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
    // An empty variable counts as unset.
    assert_eq!(from(&[("OTEL_EXPORTER_OTLP_PROTOCOL", " ")]).1, []);
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
    assert!(config.connector(Signal::Traces).is_ok());
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
        let error = refused(&config);
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
        let error = refused(&config);
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
        let error = refused(&config);
        assert_eq!(error.setting(), "header");
        assert_eq!(error.value(), format!("{name}=..."));
        let (config, errors) = from(&[("OTEL_EXPORTER_OTLP_HEADERS", &format!("{name}=1,ok=1"))]);
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].value(), format!("{name}=..."));
        assert!(format!("{config:?}").contains("[\"ok\"]"), "{config:?}");
    }
}

#[test]
fn a_setting_in_code_that_cannot_be_used_is_an_error_of_the_connector() {
    let new = OtlpConfig::new;
    let refused = |config: OtlpConfig| refused(&config).to_string();
    assert!(refused(new().with_endpoint("nonsense")).starts_with("endpoint cannot be `nonsense`"));
    assert!(refused(new().with_endpoint("http://u:p@x/")).contains("header"));
    assert!(
        refused(new().with_header("bad name", "x")).starts_with("header cannot be `bad name=...`")
    );
    assert!(refused(new().with_header("name", "a\nb")).starts_with("header cannot be `name=...`"));
    let secure = || new().with_endpoint("https://localhost:1/v1/traces");
    assert!(
        refused(secure().with_certificate_file("/no/such.pem"))
            .starts_with("certificate_file cannot be `/no/such.pem`")
    );
    assert!(
        refused(secure().with_certificate_pem("junk")).starts_with("certificate_pem cannot be")
    );
    let (one, other) = (Authority::new().issue(), Authority::new().issue());
    let mixed = secure()
        .with_certificate_pem(Authority::new().pem.clone())
        .with_client_identity_pem(one.certificate, other.key);
    assert!(refused(mixed).starts_with("client_identity_pem (key) cannot be"));
}

proptest::proptest! {
    #[test]
    fn no_environment_makes_it_panic_and_each_ignored_value_is_named(
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
        // The values that were not ignored can be used.
        if let Err(error) = config.connector(Signal::Traces) {
            assert!(error.setting() == "certificate", "{error}");
        }
    }
}
