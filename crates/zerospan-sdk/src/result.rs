//! Converts the pipeline's errors into the SDK's.

use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use std::time::Duration;
use zerospan_export::{FlushError, ShutdownError};

pub(crate) fn from_flush(result: Result<(), FlushError>, timeout: Duration) -> OTelSdkResult {
    result.map_err(|error| match error {
        FlushError::TimedOut { .. } => OTelSdkError::Timeout(timeout),
        FlushError::ShutDown => OTelSdkError::AlreadyShutdown,
        other => OTelSdkError::InternalFailure(with_source(&other)),
    })
}

pub(crate) fn from_shutdown(result: Result<(), ShutdownError>) -> OTelSdkResult {
    result.map_err(|error| match error {
        ShutdownError::AlreadyShutDown => OTelSdkError::AlreadyShutdown,
        other => OTelSdkError::InternalFailure(with_source(&other)),
    })
}

/// Returns the text of an error and of its cause: the SDK's error has no other place for it.
fn with_source(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
