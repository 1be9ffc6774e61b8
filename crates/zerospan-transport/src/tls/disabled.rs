use super::settings::TlsSettings;
use crate::error::ConfigError;

/// The TLS of a gRPC connection: none.
#[cfg(feature = "grpc")]
pub(crate) type GrpcTls = Option<std::convert::Infallible>;

/// The material of a connection without the feature `tls`: none.
pub(crate) struct Tls;

impl Tls {
    pub(crate) fn none() -> Self {
        Self
    }

    pub(crate) fn new(settings: &TlsSettings) -> Result<Self, ConfigError> {
        settings.read()?;
        Err(ConfigError::new(
            "endpoint",
            "https",
            "an endpoint with `http`, or turn on the feature `tls` of zerospan or zerospan-transport",
        ))
    }

    #[cfg(feature = "grpc")]
    pub(crate) fn for_grpc(&self) -> GrpcTls {
        None
    }
}
