//! Converts the pipeline's errors into the SDK's.

use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use std::time::Duration;
use zerospan_export::{FlushError, ShutdownError};

pub(crate) fn from_flush(result: Result<(), FlushError>, timeout: Duration) -> OTelSdkResult {
    result.map_err(|error| match error {
        FlushError::TimedOut { .. } => OTelSdkError::Timeout(timeout),
        FlushError::ShutDown => OTelSdkError::AlreadyShutdown,
        other => OTelSdkError::InternalFailure(other.to_string()),
    })
}

pub(crate) fn from_shutdown(result: Result<(), ShutdownError>) -> OTelSdkResult {
    result.map_err(|error| match error {
        ShutdownError::AlreadyShutDown => OTelSdkError::AlreadyShutdown,
        other => OTelSdkError::InternalFailure(other.to_string()),
    })
}
