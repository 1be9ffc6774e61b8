use crate::sink::error::ProviderError;
use opentelemetry_sdk::error::OTelSdkError;
use zerospan_core::log;

/// Converts into the official SDK's error, so that `?` works where a function returns that.
impl From<ProviderError> for OTelSdkError {
    fn from(error: ProviderError) -> Self {
        if let ProviderError::AlreadyShutDown = error {
            return Self::AlreadyShutdown;
        }
        // It has no source, so its text has everything.
        let text = match log::causes(&error) {
            Some(causes) => format!("{error}: {causes}"),
            None => error.to_string(),
        };
        Self::InternalFailure(text)
    }
}
