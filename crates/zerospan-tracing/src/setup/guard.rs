use std::time::{Duration, Instant};
use zerospan_core::log;
use zerospan_export::FlushError;
use zerospan_logs::LoggerProvider;
use zerospan_trace::shared::DEFAULT_TIMEOUT;
use zerospan_trace::{ProviderError, TracerProvider};

/// Delivers what is recorded when it is dropped, and shuts tracing down.
///
/// Keep it until the last span has closed: bind it first in `main`, so that it is dropped last, and not to `_`, which drops it
/// at once. A span that closes later is dropped and counted.
#[derive(Debug)]
#[must_use = "tracing is shut down when the guard is dropped: bind it, for example to `_guard`"]
pub struct Guard {
    provider: TracerProvider,
    logs: Option<LoggerProvider>,
}

impl Guard {
    pub(crate) fn new(provider: TracerProvider, logs: Option<LoggerProvider>) -> Self {
        Self { provider, logs }
    }

    /// Returns the provider: for tracers of OpenTelemetry's API beside the spans of `tracing`, and for
    /// [`stats`](TracerProvider::stats).
    pub fn provider(&self) -> &TracerProvider {
        &self.provider
    }

    /// Returns the provider of the log records, if logs are set up: for loggers of OpenTelemetry's API beside the events of
    /// `tracing`, and for [`stats`](LoggerProvider::stats).
    pub fn logger_provider(&self) -> Option<&LoggerProvider> {
        self.logs.as_ref()
    }

    /// Delivers the spans that have closed, and the log records, and waits for it, up to 5 s.
    ///
    /// # Errors
    ///
    /// [`ProviderError`] if spans or log records were lost, or not delivered in time. Holds the first error.
    pub fn flush(&self) -> Result<(), ProviderError> {
        self.for_both(
            TracerProvider::force_flush_with_timeout,
            LoggerProvider::force_flush_with_timeout,
        )
    }

    /// Delivers the spans that have closed, and the log records, and shuts tracing and logs down, as dropping the guard does, but
    /// returns what went wrong.
    ///
    /// # Errors
    ///
    /// [`ProviderError`] if spans or log records were lost, or a provider was shut down before. Holds the first error.
    pub fn shutdown(self) -> Result<(), ProviderError> {
        self.shut_down()
    }

    fn shut_down(&self) -> Result<(), ProviderError> {
        self.for_both(
            TracerProvider::shutdown_with_timeout,
            LoggerProvider::shutdown_with_timeout,
        )
    }

    /// Calls both providers, within 5 s. The spans are flushed first, within half of the time: of two collectors, one that does not
    /// answer costs the other nothing.
    fn for_both(
        &self,
        traces: impl FnOnce(&TracerProvider, Duration) -> Result<(), ProviderError>,
        logs: impl FnOnce(&LoggerProvider, Duration) -> Result<(), ProviderError>,
    ) -> Result<(), ProviderError> {
        let Some(logger_provider) = &self.logs else {
            return traces(&self.provider, DEFAULT_TIMEOUT);
        };
        let started = Instant::now();
        let left = || DEFAULT_TIMEOUT.saturating_sub(started.elapsed());
        let flushed = self.provider.force_flush_with_timeout(DEFAULT_TIMEOUT / 2);
        let logs = logs(logger_provider, left());
        let traces = traces(&self.provider, left());
        // A timeout, or an earlier shutdown, is reported by the calls that follow.
        let lost = match flushed {
            Err(error @ ProviderError::Flush(FlushError::Lost { .. })) => Err(error),
            _ => Ok(()),
        };
        first_error([lost, traces, logs])
    }
}

/// Returns the first error, that of an earlier shutdown last.
fn first_error(outcomes: [Result<(), ProviderError>; 3]) -> Result<(), ProviderError> {
    let mut first = Ok(());
    for outcome in outcomes {
        if matches!(first, Ok(()) | Err(ProviderError::AlreadyShutDown)) && outcome.is_err() {
            first = outcome;
        }
    }
    first
}

impl Drop for Guard {
    fn drop(&mut self) {
        match self.shut_down() {
            Ok(()) | Err(ProviderError::AlreadyShutDown) => {}
            Err(error) => {
                log::suppressed(move || {
                    let cause = log::causes(&error);
                    tracing::warn!(
                        name: "GuardDroppedSpans",
                        error = %error,
                        cause,
                        "spans or log records were lost when tracing was shut down"
                    );
                });
                log::settle();
            }
        }
    }
}
