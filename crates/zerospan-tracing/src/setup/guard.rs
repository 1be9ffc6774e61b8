use zerospan_core::log;
use zerospan_trace::{ProviderError, TracerProvider};

/// Delivers what is recorded when it is dropped, and shuts tracing down.
///
/// Keep it until the last span has closed: bind it first in `main`, so that it is dropped last, and not to `_`, which drops it
/// at once. A span that closes later is dropped and counted.
#[derive(Debug)]
#[must_use = "tracing is shut down when the guard is dropped: bind it, for example to `_guard`"]
pub struct Guard {
    provider: TracerProvider,
}

impl Guard {
    pub(crate) fn new(provider: TracerProvider) -> Self {
        Self { provider }
    }

    /// Returns the provider: for tracers of OpenTelemetry's API beside the spans of `tracing`, and for
    /// [`stats`](TracerProvider::stats).
    pub fn provider(&self) -> &TracerProvider {
        &self.provider
    }

    /// Delivers the spans that have closed, and waits for it, up to 5 s.
    ///
    /// # Errors
    ///
    /// [`ProviderError`] if spans were lost, or not delivered in time.
    pub fn flush(&self) -> Result<(), ProviderError> {
        self.provider.force_flush()
    }

    /// Delivers the spans that have closed and shuts tracing down, as dropping the guard does, but returns what went wrong.
    ///
    /// # Errors
    ///
    /// [`ProviderError`] if spans were lost, or the provider was shut down before.
    pub fn shutdown(self) -> Result<(), ProviderError> {
        self.provider.shutdown()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        match self.provider.shutdown() {
            Ok(()) | Err(ProviderError::AlreadyShutDown) => {}
            Err(error) => {
                log::suppressed(move || {
                    let cause = std::error::Error::source(&error);
                    tracing::warn!(
                        name: "GuardDroppedSpans",
                        error = %error,
                        cause = cause.map(tracing::field::display),
                        "spans were lost when tracing was shut down"
                    );
                });
                log::settle();
            }
        }
    }
}
