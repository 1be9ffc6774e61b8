//! What the pipeline says, in the SDK's words.

use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use std::time::Duration;
use zerospan_export::{FlushError, ShutdownError};

pub(crate) fn of_flush(outcome: Result<(), FlushError>, timeout: Duration) -> OTelSdkResult {
    outcome.map_err(|error| match error {
        FlushError::TimedOut { .. } => OTelSdkError::Timeout(timeout),
        FlushError::ShutDown => OTelSdkError::AlreadyShutdown,
        other => OTelSdkError::InternalFailure(other.to_string()),
    })
}

pub(crate) fn of_shutdown(outcome: Result<(), ShutdownError>) -> OTelSdkResult {
    outcome.map_err(|error| match error {
        ShutdownError::AlreadyShutDown => OTelSdkError::AlreadyShutdown,
        other => OTelSdkError::InternalFailure(other.to_string()),
    })
}
