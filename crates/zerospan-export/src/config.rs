//! Where spans go, and how: from code and from the environment.

mod endpoint;
mod environment;
mod headers;
mod tls_settings;

pub(crate) use environment::{batch as batch_from, of_this_process, of_variables};
#[cfg(feature = "tls")]
pub(crate) use tls_settings::Pems;
pub(crate) use tls_settings::TlsSettings;

use crate::transport::tls::Tls;
use crate::{ConfigError, Connect, DropCause, Retry, SendError, Transport};
use endpoint::Endpoint;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;
use tls_settings::Source;
use uri::{HeaderMap, Uri};

/// How requests travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `http/protobuf`: OTLP/HTTP with binary protobuf. Feature `http`.
    HttpProtobuf,
    /// `grpc`: OTLP/gRPC. Feature `grpc`.
    Grpc,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HttpProtobuf => "http/protobuf",
            Self::Grpc => "grpc",
        })
    }
}

/// How requests are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// `gzip`.
    #[cfg(feature = "gzip")]
    Gzip,
}

/// Which collector, by which protocol: what `OTEL_EXPORTER_OTLP_*` says, and code over it.
///
/// Settings are checked when the pipeline is built. The environment is read only by [`from_env`](Self::from_env).
#[derive(Clone)]
pub struct OtlpConfig {
    protocol: Protocol,
    endpoint: Option<Endpoint>,
    headers: HeaderMap,
    compression: Compression,
    pub(crate) timeout: Duration,
    tls: TlsSettings,
    /// Why the CA that the environment names cannot be used: nobody else is trusted in its place.
    unusable_ca: Option<ConfigError>,
    /// The first setting that made no sense.
    error: Option<ConfigError>,
}

/// `http/protobuf` to `http://localhost:4318/v1/traces`, not compressed, with a timeout of 10 s.
impl Default for OtlpConfig {
    fn default() -> Self {
        Self {
            protocol: if cfg!(feature = "http") {
                Protocol::HttpProtobuf
            } else {
                Protocol::Grpc
            },
            endpoint: None,
            headers: HeaderMap::new(),
            compression: Compression::None,
            timeout: Duration::from_secs(10),
            tls: TlsSettings::default(),
            unusable_ca: None,
            error: None,
        }
    }
}

impl OtlpConfig {
    /// The specification's defaults, whatever the environment says.
    pub fn new() -> Self {
        Self::default()
    }

    /// What the environment says: `OTEL_EXPORTER_OTLP_TRACES_*` before `OTEL_EXPORTER_OTLP_*`, for `ENDPOINT`, `PROTOCOL`,
    /// `HEADERS`, `COMPRESSION`, `TIMEOUT`, `CERTIFICATE`, `CLIENT_CERTIFICATE` and `CLIENT_KEY`.
    ///
    /// A value that cannot be used is reported once, through `tracing`, and ignored.
    pub fn from_env() -> Self {
        of_this_process(environment::otlp)
    }

    /// Like [`from_env`](Self::from_env), with the variables that `lookup` knows. Gives what was ignored, too.
    pub fn from_vars(lookup: impl Fn(&str) -> Option<String>) -> (Self, Vec<ConfigError>) {
        of_variables(lookup, environment::otlp)
    }

    /// The protocol.
    #[must_use]
    pub fn with_protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = protocol;
        self
    }

    /// The URL of the collector, as it stands: for `http/protobuf` with its path, which is `/v1/traces` by convention; for
    /// `grpc` only scheme, host and port matter. `https` stands for TLS.
    #[must_use]
    pub fn with_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(Endpoint::as_it_stands("endpoint", url.into()));
        self
    }

    /// A header of each request, before one of the same name from the environment.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        match headers::header("header", name, value) {
            Ok((name, value)) => {
                self.headers.insert(name, value);
            }
            Err(error) => self.error = self.error.or(Some(error)),
        }
        self
    }

    /// How requests are compressed.
    #[must_use]
    pub fn with_compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// How long the delivery of one request may take, retries included: 10 s.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The file with the CA certificates, as PEM, that vouch for the collector, instead of the system's.
    #[must_use]
    pub fn with_certificate_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.tls.ca = Some(Source::file("certificate_file", path.into()));
        self.unusable_ca = None;
        self
    }

    /// The CA certificates, as PEM, that vouch for the collector, instead of the system's.
    #[must_use]
    pub fn with_certificate_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.tls.ca = Some(Source::text("certificate_pem", pem.into()));
        self.unusable_ca = None;
        self
    }

    /// The files with the certificate chain and the private key, as PEM, that vouch for this client.
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

    /// The certificate chain and the private key, as PEM, that vouch for this client.
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

    /// Checks everything, reads certificates, and gives what connects.
    pub(crate) fn connect(&self) -> Result<impl Connect + 'static, ConfigError> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        check_protocol("protocol", self.protocol)?;
        let uri = match &self.endpoint {
            Some(endpoint) => endpoint.uri(self.protocol)?,
            None => Endpoint::default_uri(self.protocol),
        };
        let tls = match uri.scheme_str() {
            Some("https") if self.unusable_ca.is_none() => Tls::new(&self.tls)?,
            _ => {
                self.tls.read()?;
                Tls::none()
            }
        };
        let unusable_ca = match uri.scheme_str() {
            Some("https") => self.unusable_ca.as_ref().map(ToString::to_string),
            _ => None,
        };
        Ok(Otlp {
            protocol: self.protocol,
            uri,
            headers: self.headers.clone(),
            compression: self.compression,
            tls,
            unusable_ca,
        })
    }
}

/// Shows no header's value: there are secrets among them.
impl fmt::Debug for OtlpConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtlpConfig")
            .field("protocol", &self.protocol)
            .field("endpoint", &self.endpoint)
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("compression", &self.compression)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// Whether this build speaks `protocol`.
fn check_protocol(setting: &str, protocol: Protocol) -> Result<(), ConfigError> {
    let (built, feature) = match protocol {
        Protocol::HttpProtobuf => (cfg!(feature = "http"), "http"),
        Protocol::Grpc => (cfg!(feature = "grpc"), "grpc"),
    };
    if built {
        return Ok(());
    }
    Err(ConfigError::new(
        setting,
        protocol,
        format!("the feature `{feature}` of zerospan-export, or another protocol"),
    ))
}

/// Connects as a checked configuration says.
#[cfg_attr(not(any(feature = "http", feature = "grpc")), allow(dead_code))]
struct Otlp {
    protocol: Protocol,
    uri: Uri,
    headers: HeaderMap,
    compression: Compression,
    tls: Tls,
    /// Why there is no telling whom to trust: every request fails.
    unusable_ca: Option<String>,
}

impl Connect for Otlp {
    fn connect(&self) -> Result<Box<dyn Transport>, SendError> {
        if let Some(why) = &self.unusable_ca {
            return Err(SendError::new(
                DropCause::Unreachable,
                Retry::Never,
                format!("no one is trusted: {why}"),
            ));
        }
        match self.protocol {
            #[cfg(feature = "http")]
            Protocol::HttpProtobuf => Ok(Box::new(crate::transport::http::Http::new(
                self.uri.clone(),
                &self.headers,
                self.compression,
                &self.tls,
            ))),
            #[cfg(feature = "grpc")]
            Protocol::Grpc => Ok(Box::new(crate::transport::grpc::Grpc::new(
                &self.uri,
                &self.headers,
                self.compression,
                &self.tls,
            )?)),
            #[cfg(not(all(feature = "http", feature = "grpc")))]
            other => Err(SendError::refused(format!("{other} is not built in"))),
        }
    }
}
