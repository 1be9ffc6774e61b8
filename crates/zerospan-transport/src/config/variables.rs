use super::endpoint::Endpoint;
use super::headers;
use super::protocol::{Compression, Protocol};
use crate::env::{self, Environment};
use crate::error::ConfigError;
use crate::proxy::ProxyVariables;
use crate::signal::Signal;
use crate::tls::{Source, Tls, TlsSettings};
use std::path::PathBuf;
use std::time::Duration;
use uri::HeaderMap;

/// The usable values of `OTEL_EXPORTER_OTLP_*`.
pub(super) struct Variables {
    pub(super) protocol: Protocol,
    /// An endpoint that cannot be used is an error: nothing may be sent to another, with credentials for this one.
    pub(super) endpoint: Result<Option<Endpoint>, ConfigError>,
    /// Set to decide about TLS for an endpoint without a scheme.
    pub(super) insecure: Option<bool>,
    pub(super) headers: HeaderMap,
    pub(super) compression: Option<Compression>,
    pub(super) timeout: Option<Duration>,
    pub(super) tls: TlsSettings,
    pub(super) proxies: ProxyVariables,
    /// Why the CA cannot be used.
    pub(super) unusable_ca: Option<ConfigError>,
}

impl Variables {
    pub(super) fn read(signal: Signal, environment: &mut Environment<'_>) -> Self {
        let (protocol, is_built) = environment
            .first(&names(signal, "PROTOCOL"), |name, value| {
                let protocol = Protocol::parse(name, value)?;
                Ok((protocol, protocol.check(name)))
            })
            .unwrap_or((Protocol::default(), Ok(())));
        let insecure = environment.first(&names(signal, "INSECURE"), env::boolean);
        let endpoint_names = names(signal, "ENDPOINT");
        let endpoint = environment.first_set(&endpoint_names, |name, value| {
            let endpoint = match name == endpoint_names[0] {
                true => Endpoint::full(name, value.to_owned()),
                false => Endpoint::base(name, value.to_owned()),
            };
            endpoint
                .destination(protocol, signal, insecure)
                .map(|_| endpoint)
        });
        // Over another protocol the collector would not understand a word.
        let endpoint = match is_built {
            Ok(()) => endpoint,
            Err(error) => {
                environment.refuse(error.clone());
                Err(error)
            }
        };
        let headers = headers(signal, environment);
        let compression = environment.first(&names(signal, "COMPRESSION"), Compression::parse);
        let timeout = environment.first(&names(signal, "TIMEOUT"), env::millis);
        let (tls, unusable_ca) = tls(signal, environment);
        Self {
            protocol,
            endpoint,
            insecure,
            headers,
            compression,
            timeout,
            tls,
            proxies: ProxyVariables::read(environment.lookup()),
            unusable_ca,
        }
    }
}

/// Returns the names of a setting's variables: the signal's, which wins, and the general one.
fn names(signal: Signal, setting: &str) -> [String; 2] {
    [
        format!("OTEL_EXPORTER_OTLP_{}_{setting}", signal.variable_infix()),
        format!("OTEL_EXPORTER_OTLP_{setting}"),
    ]
}

fn headers(signal: Signal, environment: &mut Environment<'_>) -> HeaderMap {
    for name in names(signal, "HEADERS") {
        if let Some(value) = environment.get(&name) {
            let (headers, errors) = headers::parse(&name, &value);
            errors
                .into_iter()
                .for_each(|error| environment.ignore(error));
            return headers;
        }
    }
    HeaderMap::new()
}

/// Reads certificates and keys. A client certificate that cannot be used is not sent; a CA that cannot be used makes every
/// request over TLS fail, since other roots would trust more.
fn tls(signal: Signal, environment: &mut Environment<'_>) -> (TlsSettings, Option<ConfigError>) {
    let mut file = |setting| {
        environment.first(&names(signal, setting), |name, value| {
            Ok(Source::file(name, PathBuf::from(value)))
        })
    };
    let ca = file("CERTIFICATE");
    let certificate = file("CLIENT_CERTIFICATE");
    let key = file("CLIENT_KEY");
    let (mut tls, mut unusable_ca) = (TlsSettings::default(), None);
    if cfg!(not(feature = "tls")) {
        return (tls, unusable_ca);
    }
    if ca.is_none() {
        let names = names(signal, "CERTIFICATE");
        let is_ca = |error: &&ConfigError| names.iter().any(|name| name == error.setting());
        unusable_ca = environment.ignored().iter().find(is_ca).cloned();
    } else {
        tls.ca = ca;
        if let Err(error) = Tls::new(&tls) {
            environment.ignore(error.clone());
            tls.ca = None;
            unusable_ca = Some(error);
        }
    }
    if certificate.is_some() || key.is_some() {
        tls.certificate = certificate;
        tls.key = key;
        if let Err(error) = Tls::new(&tls) {
            environment.ignore(error);
            tls.certificate = None;
            tls.key = None;
        }
    }
    (tls, unusable_ca)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    #[test]
    fn a_variable_that_is_not_unicode_is_named_and_ignored() {
        let lookup = |_: &str| Some(OsString::from_vec(b"x\xff".to_vec()));
        let mut environment = Environment::new(&lookup);
        let variables = Variables::read(Signal::Traces, &mut environment);
        assert!(variables.endpoint.is_err());
        let errors = environment.ignored();
        for name in [
            "OTEL_EXPORTER_OTLP_TIMEOUT",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        ] {
            let error = errors.iter().find(|error| error.setting() == name);
            assert_eq!(error.map(ConfigError::value), Some("x\u{fffd}"), "{name}");
        }
        let mut headers = errors
            .iter()
            .filter(|error| error.setting().ends_with("_HEADERS"));
        assert!(headers.all(|error| error.value() == "..."));
        // The CA is not known, so no request over TLS may be sent.
        assert_eq!(variables.unusable_ca.is_some(), cfg!(feature = "tls"));
    }
}
