//! The settings of a collector, from code and from the environment: those that are used, and the errors about the others.

use crate::collector::Authority;
use crate::support::from;
use std::sync::{Arc, Mutex};
use tracing_subscriber::layer::{Context as LayerContext, Layer, SubscriberExt};
use zerospan_core::dev;
use zerospan_transport::{ConfigError, Connect, OtlpConfig, RetryHint, Signal};

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
    // An empty variable counts as unset.
    assert_eq!(from(&[("OTEL_EXPORTER_OTLP_PROTOCOL", " ")]).1, []);
}

#[test]
fn of_a_header_that_cannot_be_used_neither_name_nor_value_is_shown() {
    // The whole header in place of `name=value`, and other slips.
    for slip in [
        "Authorization: Basic aHVudGVyMg==",
        "Authorization: Bearer hunter2",
        "Bearer hunter2=",
        "authorization=Bearer hunter2\u{e9}",
        "hunter2",
        "hunter2=%ff",
        "a hunter2=1",
    ] {
        let (config, errors) = from(&[("OTEL_EXPORTER_OTLP_HEADERS", &format!("ok=1,{slip}"))]);
        assert_eq!(errors.len(), 1, "{slip}");
        assert_eq!(errors[0].value(), "pair 2", "{slip}");
        let text = format!("{errors:?} {} {config:?}", errors[0]);
        let is_shown = ["hunter2", "aHVudGVyMg"]
            .iter()
            .any(|secret| text.contains(secret));
        assert!(!is_shown && text.contains("headers: 1"), "{text}");
        if let Err(error) = OtlpConfig::new()
            .with_header(slip, "")
            .connector(Signal::Traces)
        {
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
    // What can be used is not shown either.
    let (config, _) = from(&[("OTEL_EXPORTER_OTLP_HEADERS", "aHVudGVyMg==")]);
    let connector = config.connector(Signal::Traces).unwrap();
    let text = format!("{config:?} {connector:?}");
    assert!(!text.contains("aHVudGVyMg"), "{text}");
}

#[test]
fn secrets_in_other_settings_are_not_shown() {
    let pem = "-----BEGIN PRIVATE KEY-----\nhunter2";
    for (variable, value) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://host/?api-key=hunter2"),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "Authorization=Bearer hunter2",
        ),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://hunter2@host"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", pem),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", pem),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http://user:hunter2@host"),
    ] {
        let (config, errors) = from(&[(variable, value)]);
        let text = format!("{errors:?} {config:?}");
        assert!(!errors.is_empty() && !text.contains("hunter2"), "{text}");
    }
    let config = OtlpConfig::new().with_endpoint("http://host/?api-key=hunter2");
    let text = format!("{config:?} {:?}", config.connector(Signal::Traces).unwrap());
    assert!(!text.contains("hunter2"), "{text}");
    let error = refused(&OtlpConfig::new().with_certificate_file(pem));
    assert!(!format!("{error:?}").contains("hunter2"), "{error}");
}

#[test]
fn with_an_endpoint_in_the_environment_that_cannot_be_used_nothing_is_sent() {
    let usable = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1");
    for (variable, value) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "htp://collector:4318"),
        (
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "http://collector:99999",
        ),
        (
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "http://user:password@collector",
        ),
    ] {
        for with in [&[(variable, value)][..], &[usable, (variable, value)]] {
            let (config, errors) = from(with);
            assert_eq!(errors.len(), 1);
            let connector = config.connector(Signal::Traces).unwrap();
            let error = connector.connect().err().expect("it does not connect");
            assert_eq!(error.retry, RetryHint::Never);
            assert!(error.message.starts_with(variable), "{error}");
            // Code may name another.
            let config = config.with_endpoint("http://127.0.0.1:1");
            assert!(config.connector(Signal::Traces).unwrap().connect().is_ok());
        }
    }
    let error = refused(&OtlpConfig::new().with_endpoint("htp://collector:4318"));
    assert_eq!(error.setting(), "endpoint");
}

/// Keeps the level and the name of each event of this crate.
struct Log(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &tracing::Event<'_>, _: LayerContext<'_, S>) {
        let metadata = event.metadata();
        if metadata.target().starts_with("zerospan_transport") {
            let line = format!("{} {}", metadata.level(), metadata.name());
            self.0.lock().unwrap().push(line);
        }
    }
}

fn logged(work: impl FnOnce()) -> Vec<String> {
    let log = Arc::new(Mutex::new(Vec::new()));
    let subscriber = tracing_subscriber::registry().with(Log(Arc::clone(&log)));
    tracing::subscriber::with_default(subscriber, work);
    std::mem::take(&mut *log.lock().unwrap())
}

#[test]
fn an_endpoint_of_the_process_that_cannot_be_used_is_one_error_in_the_log() {
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", "htp://collector:4318")];
    dev::in_own_process(&variables, || {
        let lines = logged(|| (0..10_000).for_each(|_| drop(OtlpConfig::from_env())));
        assert_eq!(lines, ["ERROR SettingUnusable"]);
    });
}

#[test]
fn credentials_for_another_host_without_tls_are_one_warning() {
    let with = |url: &str| OtlpConfig::new().with_endpoint(url);
    let connect = |config: OtlpConfig| drop(config.connector(Signal::Traces).unwrap());
    let lines = logged(|| {
        for url in [
            "http://localhost:1",
            "http://127.0.0.2:1",
            "http://[::1]:1",
            "http://a.LOCALHOST.:1",
            "https://collector:1",
        ] {
            connect(with(url).with_header("authorization", "Bearer hunter2"));
        }
        connect(with("http://collector:1").with_header("tenant", "1"));
    });
    assert_eq!(lines, [""; 0]);
    let lines = logged(|| {
        for _ in 0..10_000 {
            connect(with("http://collector:1").with_header("X-Api-Key", "hunter2"));
        }
    });
    assert_eq!(lines, ["WARN CredentialsInClear"]);
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
        let shown = format!("{}=...", name.to_lowercase());
        assert_eq!(error.value(), shown);
        let (config, errors) = from(&[("OTEL_EXPORTER_OTLP_HEADERS", &format!("{name}=1,ok=1"))]);
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].value(), shown);
        assert!(format!("{config:?}").contains("headers: 1"), "{config:?}");
    }
}

#[test]
fn a_setting_in_code_that_cannot_be_used_is_an_error_of_the_connector() {
    let new = OtlpConfig::new;
    let refused = |config: OtlpConfig| refused(&config).to_string();
    assert!(refused(new().with_endpoint("nonsense")).starts_with("endpoint cannot be `nonsense`"));
    assert!(refused(new().with_endpoint("http://u:p@x/")).contains("header"));
    assert!(
        refused(new().with_header("bad name", "x"))
            .starts_with("header cannot be `a name that is none`")
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
