//! Flush and shutdown of a provider.

use crate::sink::{self, DEFAULT_TIMEOUT, ProviderError};
use crate::span::ProviderInner;
use std::sync::Arc;
use std::time::Duration;
use zerospan_core::log::{self, LogLimit};

/// Shuts a provider down with its last handle. Open spans hold no handle, since that would cost each of them an update of a
/// shared reference count.
#[derive(Debug)]
pub(crate) struct ShutdownGuard {
    provider: Arc<ProviderInner>,
}

impl ShutdownGuard {
    pub(crate) fn new(provider: Arc<ProviderInner>) -> Self {
        Self { provider }
    }

    #[inline]
    pub(crate) fn provider(&self) -> &Arc<ProviderInner> {
        &self.provider
    }

    pub(crate) fn flush(&self, timeout: Duration) -> Result<(), ProviderError> {
        sink::flush(&self.provider.sinks, timeout)
    }

    pub(crate) fn shutdown(&self, timeout: Duration) -> Result<(), ProviderError> {
        if !self.provider.begin_shutdown() {
            return Err(ProviderError::AlreadyShutDown);
        }
        sink::shut_down(&self.provider.sinks, timeout)
    }
}

impl Drop for ShutdownGuard {
    fn drop(&mut self) {
        // A forked child that has not used the provider has nothing to pass on, and the processors are the parent's.
        if !self.provider.is_used_here() {
            return;
        }
        if let Err(error) = self.shutdown(DEFAULT_TIMEOUT)
            && !matches!(error, ProviderError::AlreadyShutDown)
        {
            static WARNING: LogLimit = LogLimit::new();
            WARNING.log(move |skipped| {
                let cause = log::causes(&error);
                tracing::warn!(
                    name: "ProviderDroppedSpans",
                    skipped,
                    error = %error,
                    cause,
                    "the last handle of a tracer provider was dropped, and its shutdown failed"
                );
            });
        }
        self.provider.close();
        log::settle();
    }
}
