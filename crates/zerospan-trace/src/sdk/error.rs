use crate::shutdown::ProviderError;
use opentelemetry_sdk::error::OTelSdkError;
use std::error::Error;

/// Converts into the official SDK's error, so that `?` works where a function returns that.
impl From<ProviderError> for OTelSdkError {
    fn from(error: ProviderError) -> Self {
        if let ProviderError::AlreadyShutDown = error {
            return Self::AlreadyShutdown;
        }
        // It has no source, so its text has everything.
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            text.push_str(": ");
            text.push_str(&error.to_string());
            source = error.source();
        }
        Self::InternalFailure(text)
    }
}
