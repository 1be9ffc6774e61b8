use super::connector::OtlpConnector;
use super::endpoint::{Destination, Endpoint};
use super::headers;
use super::protocol::{Compression, Protocol};
use super::variables::Variables;
use crate::env::{self, Environment};
use crate::error::ConfigError;
use crate::proxy::{Proxy, ProxyVariables};
use crate::signal::Signal;
use crate::tls::{Source, Tls, TlsSettings};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;
use uri::{HeaderMap, HeaderName};
use zerospan_core::log::WarnOnce;

/// The settings of a collector: endpoint, protocol, headers, compression, timeout and TLS.
///
/// They are checked by [`connector`](Self::connector), which a pipeline calls when it is built. Only
/// [`from_env`](Self::from_env) and [`from_env_for`](Self::from_env_for) read the environment, apart from the proxy variables,
/// which are read when the connector is created: `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`, by curl's rules.
#[derive(Clone)]
pub struct OtlpConfig {
    protocol: Protocol,
    endpoint: Option<Endpoint>,
    /// Decides about TLS for an endpoint without a scheme.
    insecure: Option<bool>,
    headers: HeaderMap,
    compression: Compression,
    timeout: Duration,
    tls: TlsSettings,
    /// The proxies that [`from_vars`](Self::from_vars) found; otherwise those of the process are used.
    proxies: Option<ProxyVariables>,
    /// Why the CA that the environment names cannot be used: requests over TLS fail, instead of trusting other roots.
    unusable_ca: Option<ConfigError>,
    /// Why the endpoint that the environment names cannot be used: requests fail, instead of going elsewhere.
    unusable_endpoint: Option<ConfigError>,
    /// The first setting that cannot be used.
    error: Option<ConfigError>,
}

/// `http/protobuf` to `http://localhost:4318/v1/traces`, not compressed, with a timeout of 10 s.
impl Default for OtlpConfig {
    fn default() -> Self {
        Self {
            protocol: Protocol::default(),
            endpoint: None,
            insecure: None,
            headers: HeaderMap::new(),
            compression: Compression::None,
            timeout: Duration::from_secs(10),
            tls: TlsSettings::default(),
            proxies: None,
            unusable_ca: None,
            unusable_endpoint: None,
            error: None,
        }
    }
}

impl OtlpConfig {
    /// Creates the specification's defaults. The environment is not read.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the environment for traces: `OTEL_EXPORTER_OTLP_TRACES_*` before `OTEL_EXPORTER_OTLP_*`, for `ENDPOINT`,
    /// `INSECURE`, `PROTOCOL`, `HEADERS`, `COMPRESSION`, `TIMEOUT`, `CERTIFICATE`, `CLIENT_CERTIFICATE` and `CLIENT_KEY`.
    ///
    /// A value that cannot be used is logged once, through `tracing`, and ignored. With an endpoint or a CA that cannot be
    /// used, nothing is sent: each request fails, with the reason.
    pub fn from_env() -> Self {
        Self::from_env_for(Signal::Traces)
    }

    /// Like [`from_env`](Self::from_env), for `signal`: `OTEL_EXPORTER_OTLP_LOGS_*` for logs.
    pub fn from_env_for(signal: Signal) -> Self {
        env::from_process(|environment| Self::read(signal, environment))
    }

    /// Like [`from_env`](Self::from_env), with the variables that `lookup` finds. Also returns what was ignored.
    pub fn from_vars(lookup: impl Fn(&str) -> Option<String>) -> (Self, Vec<ConfigError>) {
        Self::from_vars_for(Signal::Traces, lookup)
    }

    /// Like [`from_vars`](Self::from_vars), for `signal`.
    pub fn from_vars_for(
        signal: Signal,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> (Self, Vec<ConfigError>) {
        env::from_vars(lookup, |environment| Self::read(signal, environment))
    }

    fn read(signal: Signal, environment: &mut Environment<'_>) -> Self {
        let variables = Variables::read(signal, environment);
        let defaults = Self::default();
        let (endpoint, unusable_endpoint) = match variables.endpoint {
            Ok(endpoint) => (endpoint, None),
            Err(error) => (None, Some(error)),
        };
        Self {
            protocol: variables.protocol,
            endpoint,
            insecure: variables.insecure,
            unusable_endpoint,
            headers: variables.headers,
            compression: variables.compression.unwrap_or(defaults.compression),
            timeout: variables.timeout.unwrap_or(defaults.timeout),
            tls: variables.tls,
            proxies: Some(variables.proxies),
            unusable_ca: variables.unusable_ca,
            error: None,
        }
    }

    /// Sets the protocol.
    #[must_use]
    pub fn with_protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = protocol;
        // The environment's protocol does not matter any more.
        self.unusable_endpoint = self
            .unusable_endpoint
            .filter(|error| !error.setting().ends_with("_PROTOCOL"));
        self
    }

    /// Sets the URL that requests are sent to: for `http/protobuf` with its path, by convention `/v1/traces` or
    /// `/v1/logs`; for `grpc` only scheme, host and port matter. `https` means TLS.
    ///
    /// For `grpc` it may also be a name of gRPC: `host:port`, `dns:///host:port`, `ipv4:address:port,address:port`,
    /// `ipv6:[address]:port`, `unix:path`, `unix:///path` or `unix-abstract:name`. The port is 4317 unless it is given.
    /// [`with_insecure`](Self::with_insecure) decides about TLS.
    #[must_use]
    pub fn with_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(Endpoint::full("endpoint", url.into()));
        self.unusable_endpoint = None;
        self
    }

    /// Decides about TLS for an endpoint of gRPC without `http` and `https`: `true` sends without. By default TLS is used,
    /// but not for a loopback address or a Unix socket, which do not leave the machine.
    #[must_use]
    pub fn with_insecure(mut self, insecure: bool) -> Self {
        self.insecure = Some(insecure);
        self
    }

    /// Adds a header to each request, replacing one of the same name.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        // What is no name may be a whole header, its value included.
        let shown = match HeaderName::try_from(name) {
            Ok(name) => format!("{name}=..."),
            Err(_) => "a name that is none".to_owned(),
        };
        match headers::header("header", &shown, name, value) {
            Ok((name, value)) => {
                self.headers.insert(name, value);
            }
            Err(error) => self.error = self.error.or(Some(error)),
        }
        self
    }

    /// Sets the compression of requests.
    #[must_use]
    pub fn with_compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// Sets the longest time that the delivery of one request takes, retries included: 10 s by default.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the PEM file with the CA certificates that the collector's is verified against, instead of the system's.
    #[must_use]
    pub fn with_certificate_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.tls.ca = Some(Source::file("certificate_file", path.into()));
        self.unusable_ca = None;
        self
    }

    /// Sets the CA certificates, as PEM, that the collector's is verified against, instead of the system's.
    #[must_use]
    pub fn with_certificate_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.tls.ca = Some(Source::text("certificate_pem", pem.into()));
        self.unusable_ca = None;
        self
    }

    /// Sets the PEM files with the certificate chain and the private key of this client.
    #[must_use]
    pub fn with_client_identity_files(
        mut self,
        certificate: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Self {
        let certificate = Source::file("client_identity_files (certificate)", certificate.into());
        self.tls.certificate = Some(certificate);
        self.tls.key = Some(Source::file("client_identity_files (key)", key.into()));
        self
    }

    /// Sets the certificate chain and the private key of this client, as PEM.
    #[must_use]
    pub fn with_client_identity_pem(
        mut self,
        certificate: impl Into<Vec<u8>>,
        key: impl Into<Vec<u8>>,
    ) -> Self {
        let certificate = Source::text("client_identity_pem (certificate)", certificate.into());
        self.tls.certificate = Some(certificate);
        self.tls.key = Some(Source::text("client_identity_pem (key)", key.into()));
        self
    }

    /// Returns the proxy for requests to `uri`. gRPC uses none.
    fn proxy_for(&self, destination: &Destination) -> Result<Option<Proxy>, ConfigError> {
        match (destination, &self.proxies) {
            (Destination::Server(_), _) => Ok(None),
            (Destination::Url(uri), Some(proxies)) => proxies.proxy_for(uri),
            (Destination::Url(uri), None) => ProxyVariables::from_process().proxy_for(uri),
        }
    }

    /// Returns the longest time that the delivery of one request takes, retries included.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Checks the settings, reads certificates, and returns what creates the transports for requests of `signal`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for the first setting that cannot be used.
    pub fn connector(&self, signal: Signal) -> Result<OtlpConnector, ConfigError> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        if self.unusable_endpoint.is_none() {
            self.protocol.check("protocol")?;
        }
        self.compression.check("compression")?;
        let default = Endpoint::default_of(self.protocol);
        let endpoint = self.endpoint.as_ref().unwrap_or(&default);
        let destination = endpoint.destination(self.protocol, signal, self.insecure)?;
        let (proxy, unusable_proxy) = match self.proxy_for(&destination) {
            Ok(proxy) => (proxy, None),
            Err(error) => (None, Some(error)),
        };
        let is_clear = !destination.is_secure();
        let is_secure = !is_clear || proxy.as_ref().is_some_and(Proxy::is_secure);
        let tls = match is_secure && self.unusable_ca.is_none() {
            true => Tls::new(&self.tls)?,
            false => {
                self.tls.read()?;
                Tls::none()
            }
        };
        if is_clear && headers::has_credentials(&self.headers) && !destination.is_local() {
            warn_clear_credentials(&destination);
        }
        Ok(OtlpConnector {
            destination,
            headers: self.headers.clone(),
            compression: self.compression,
            tls,
            proxy,
            unusable: self
                .unusable_endpoint
                .clone()
                .or(unusable_proxy)
                .or_else(|| self.unusable_ca.clone().filter(|_| is_secure)),
        })
    }
}

fn warn_clear_credentials(destination: &Destination) {
    static WARNING: WarnOnce = WarnOnce::new();
    let host = destination.host().to_owned();
    WARNING.warn(move || {
        tracing::warn!(
            name: "CredentialsInClear",
            host,
            "headers with credentials are sent to another host without TLS, where anyone on the way can read them: use https"
        );
    });
}

/// Prints the number of headers: names and values may be secrets.
impl fmt::Debug for OtlpConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtlpConfig")
            .field("protocol", &self.protocol)
            .field("endpoint", &self.endpoint)
            .field("headers", &self.headers.len())
            .field("compression", &self.compression)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
