use super::tls_settings::Source;
use super::{Compression, Endpoint, OtlpConfig, Protocol, check_protocol, headers};
use crate::transport::tls::Tls;
use crate::{BatchConfig, ConfigError};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What `read` makes of this process's variables. What it cannot use is reported.
pub(crate) fn of_this_process<T>(read: impl Fn(&mut Environment<'_>) -> T) -> T {
    let mut environment = Environment::new(&|name| std::env::var_os(name));
    let config = read(&mut environment);
    report(&environment.errors);
    config
}

/// What `read` makes of the variables that `lookup` knows, and what it cannot use.
pub(crate) fn of_variables<T>(
    lookup: impl Fn(&str) -> Option<String>,
    read: impl Fn(&mut Environment<'_>) -> T,
) -> (T, Vec<ConfigError>) {
    let lookup = |name: &str| lookup(name).map(OsString::from);
    let mut environment = Environment::new(&lookup);
    let config = read(&mut environment);
    (config, environment.errors)
}

/// Variables, and what was wrong with them.
pub(crate) struct Environment<'a> {
    lookup: &'a dyn Fn(&str) -> Option<OsString>,
    errors: Vec<ConfigError>,
}

impl<'a> Environment<'a> {
    fn new(lookup: &'a dyn Fn(&str) -> Option<OsString>) -> Self {
        Self {
            lookup,
            errors: Vec::new(),
        }
    }

    /// The variable's value; an empty one is none, as the specification says. One that is not Unicode is noted.
    fn get(&mut self, name: &'static str) -> Option<String> {
        match (self.lookup)(name)?.into_string() {
            Ok(value) => Some(value).filter(|value| !value.trim().is_empty()),
            Err(value) => {
                // Values of headers may be secrets.
                let shown = match name.ends_with("_HEADERS") {
                    true => "...".into(),
                    false => value.to_string_lossy(),
                };
                self.errors
                    .push(ConfigError::new(name, shown, "a text in Unicode"));
                None
            }
        }
    }

    /// The first of the variables that has a value which `read` can use; what it cannot use is noted and passed over.
    fn first<T>(
        &mut self,
        names: [&'static str; 2],
        read: impl Fn(&'static str, &str) -> Result<T, ConfigError>,
    ) -> Option<T> {
        for name in names {
            let Some(value) = self.get(name) else {
                continue;
            };
            match read(name, value.trim()) {
                Ok(value) => return Some(value),
                Err(error) => self.errors.push(error),
            }
        }
        None
    }

    fn number(&mut self, name: &'static str, least: u64) -> Option<u64> {
        self.first([name, ""], |name, value| {
            let number = value.parse().ok().filter(|&number| number >= least);
            number.ok_or_else(|| {
                ConfigError::new(name, value, format!("a whole number of at least {least}"))
            })
        })
    }
}

/// A time in milliseconds.
fn millis(name: &str, value: &str) -> Result<Duration, ConfigError> {
    match value.parse() {
        Ok(millis) if millis > 0 => Ok(Duration::from_millis(millis)),
        _ => Err(ConfigError::new(
            name,
            value,
            "a whole number of milliseconds above 0",
        )),
    }
}

fn protocol(name: &'static str, value: &str) -> Result<Protocol, ConfigError> {
    let protocol = match value {
        "grpc" => Protocol::Grpc,
        "http/protobuf" => Protocol::HttpProtobuf,
        _ => return Err(ConfigError::new(name, value, "grpc or http/protobuf")),
    };
    check_protocol(name, protocol)?;
    Ok(protocol)
}

fn compression(name: &'static str, value: &str) -> Result<Compression, ConfigError> {
    match value {
        "none" => Ok(Compression::None),
        #[cfg(feature = "gzip")]
        "gzip" => Ok(Compression::Gzip),
        #[cfg(not(feature = "gzip"))]
        "gzip" => Err(ConfigError::new(
            name,
            value,
            "none, or the feature `gzip` of zerospan-export",
        )),
        _ => Err(ConfigError::new(name, value, "gzip or none")),
    }
}

/// `OTEL_EXPORTER_OTLP_*`.
pub(super) fn otlp(environment: &mut Environment<'_>) -> OtlpConfig {
    let mut config = OtlpConfig::default();
    if let Some(protocol) = environment.first(
        [
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
            "OTEL_EXPORTER_OTLP_PROTOCOL",
        ],
        protocol,
    ) {
        config.protocol = protocol;
    }
    config.endpoint = environment.first(
        [
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
        ],
        |name, value| {
            let endpoint = if name == "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" {
                Endpoint::as_it_stands(name, value.to_owned())
            } else {
                Endpoint::base(name, value.to_owned())
            };
            endpoint.uri(config.protocol).map(|_| endpoint)
        },
    );
    for name in [
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
        "OTEL_EXPORTER_OTLP_HEADERS",
    ] {
        if let Some(value) = environment.get(name) {
            config.headers = headers::parse(name, &value, &mut environment.errors);
            break;
        }
    }
    if let Some(compression) = environment.first(
        [
            "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
            "OTEL_EXPORTER_OTLP_COMPRESSION",
        ],
        compression,
    ) {
        config.compression = compression;
    }
    if let Some(timeout) = environment.first(
        [
            "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
            "OTEL_EXPORTER_OTLP_TIMEOUT",
        ],
        millis,
    ) {
        config.timeout = timeout;
    }
    tls(environment, &mut config);
    config
}

const CA: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CERTIFICATE",
];

/// Certificates and keys. A client's that cannot be used is not shown; a CA that cannot be used makes every request over TLS
/// fail rather than trust more.
fn tls(environment: &mut Environment<'_>, config: &mut OtlpConfig) {
    let mut file = |names| {
        environment.first(names, |name, value| {
            Ok(Source::file(name, PathBuf::from(value)))
        })
    };
    let ca = file(CA);
    let certificate = file([
        "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE",
        "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
    ]);
    let key = file([
        "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY",
        "OTEL_EXPORTER_OTLP_CLIENT_KEY",
    ]);
    if cfg!(not(feature = "tls")) {
        return;
    }
    if ca.is_none() {
        let named = |error: &&ConfigError| CA.contains(&error.setting());
        config.unusable_ca = environment.errors.iter().find(named).cloned();
    } else {
        config.tls.ca = ca;
        if let Err(error) = Tls::new(&config.tls) {
            environment.errors.push(error.clone());
            config.tls.ca = None;
            config.unusable_ca = Some(error);
        }
    }
    if certificate.is_some() || key.is_some() {
        config.tls.certificate = certificate;
        config.tls.key = key;
        if let Err(error) = Tls::new(&config.tls) {
            environment.errors.push(error);
            config.tls.certificate = None;
            config.tls.key = None;
        }
    }
}

/// `OTEL_BSP_*`.
pub(crate) fn batch(environment: &mut Environment<'_>) -> BatchConfig {
    let mut config = BatchConfig::default();
    let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    if let Some(millis) = environment.number("OTEL_BSP_SCHEDULE_DELAY", 0) {
        config.schedule_delay = Duration::from_millis(millis);
    }
    if let Some(timeout) = environment.first(["OTEL_BSP_EXPORT_TIMEOUT", ""], millis) {
        config.export_timeout = timeout;
    }
    if let Some(spans) = environment.number("OTEL_BSP_MAX_QUEUE_SIZE", 1) {
        config.max_queue_size = size(spans);
    }
    let name = "OTEL_BSP_MAX_EXPORT_BATCH_SIZE";
    config.max_export_batch_size = config.max_export_batch_size.min(config.max_queue_size);
    if let Some(spans) = environment.number(name, 1).map(size) {
        if spans <= config.max_queue_size {
            config.max_export_batch_size = spans;
        } else {
            let most = config.max_queue_size;
            let accepted = format!("1 to OTEL_BSP_MAX_QUEUE_SIZE, which is {most}");
            environment
                .errors
                .push(ConfigError::new(name, spans, accepted));
        }
    }
    config
}

/// Reports each variable that cannot be used, once in the life of the process.
fn report(errors: &[ConfigError]) {
    static REPORTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    for error in errors {
        let mut reported = REPORTED.lock().unwrap_or_else(PoisonError::into_inner);
        if !reported.insert(error.setting().to_owned()) {
            continue;
        }
        drop(reported);
        tracing::warn!(
            name: "SettingIgnored",
            variable = error.setting(),
            value = error.value(),
            accepted = error.accepted(),
            "an environment variable cannot be used and is ignored"
        );
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStringExt;

    #[test]
    fn a_variable_that_is_not_unicode_is_named_and_ignored() {
        let lookup = |_: &str| Some(OsString::from_vec(b"x\xff".to_vec()));
        let mut environment = Environment::new(&lookup);
        let batch = batch(&mut environment);
        assert_eq!(batch, BatchConfig::default());
        let config = otlp(&mut environment);
        let errors = environment.errors;
        for name in ["OTEL_BSP_MAX_QUEUE_SIZE", "OTEL_EXPORTER_OTLP_ENDPOINT"] {
            let error = errors.iter().find(|error| error.setting() == name);
            assert_eq!(error.map(ConfigError::value), Some("x\u{fffd}"), "{name}");
        }
        let mut headers = errors
            .iter()
            .filter(|error| error.setting().ends_with("_HEADERS"));
        assert!(headers.all(|error| error.value() == "..."));
        // Whom to trust is not known, and so nobody is.
        assert_eq!(config.unusable_ca.is_some(), cfg!(feature = "tls"));
    }
}
