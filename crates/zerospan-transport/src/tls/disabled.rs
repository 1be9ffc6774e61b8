use super::settings::TlsSettings;
use crate::error::ConfigError;

/// Without the feature `tls` there is nothing to know.
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
            "the feature `tls` of zerospan-transport, or an endpoint with `http`",
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
