use super::settings::TlsSettings;
use crate::error::ConfigError;

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
    pub(crate) fn for_tonic(
        &self,
        endpoint: tonic::transport::Endpoint,
    ) -> Result<tonic::transport::Endpoint, tonic::transport::Error> {
        Ok(endpoint)
    }
}
