//! The logger provider: its handle, its builder and its statistics.

mod builder;
mod env;
mod stats;

pub use builder::LoggerProviderBuilder;
pub use stats::LogStats;

use crate::logger::Logger;
use crate::sdk::Resource;
use crate::state::{ProviderConfig, ProviderInner, ShutdownGuard};
use opentelemetry::InstrumentationScope;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;
use zerospan_export::Pipeline;
use zerospan_otlp::LogRecordLimits;
use zerospan_trace::ProviderError;
use zerospan_trace::shared::DEFAULT_TIMEOUT;

/// Creates loggers, and holds what they share: limits, resource, processors and exporters.
///
/// Implements OpenTelemetry's [`LoggerProvider`](opentelemetry::logs::LoggerProvider), and replaces the official SDK's. Cloning
/// copies a pointer. Dropping the last of its clones and loggers shuts it down with a timeout of 5 s, unless
/// [`shutdown`](Self::shutdown) was called.
#[derive(Clone, Debug)]
pub struct LoggerProvider {
    guard: Arc<ShutdownGuard>,
}

impl LoggerProvider {
    fn new(config: ProviderConfig) -> Self {
        Self {
            guard: Arc::new(ShutdownGuard::new(ProviderInner::new(config))),
        }
    }

    /// Returns a logger with a scope of this name. The same as the trait's method.
    pub fn logger(&self, name: impl Into<Cow<'static, str>>) -> Logger {
        self.logger_with_scope(InstrumentationScope::builder(name).build())
    }

    /// Returns a logger with this scope. The same as the trait's method.
    pub fn logger_with_scope(&self, scope: InstrumentationScope) -> Logger {
        Logger::new(Arc::clone(&self.guard), scope)
    }

    /// Returns the resource of the log records.
    pub fn resource(&self) -> &Resource {
        &self.guard.provider().resource
    }

    /// Returns the limits of the log records.
    #[doc(hidden)]
    pub fn record_limits(&self) -> LogRecordLimits {
        self.guard.provider().limits
    }

    /// Returns the exporters, in order.
    pub fn pipelines(&self) -> impl Iterator<Item = &Pipeline> {
        self.guard.provider().pipelines()
    }

    /// Waits up to 5 s until every exporter has delivered, and every processor has passed on, the records that were emitted
    /// before.
    ///
    /// # Errors
    ///
    /// Returns the first error. Calls every exporter and processor nevertheless.
    pub fn force_flush(&self) -> Result<(), ProviderError> {
        self.force_flush_with_timeout(DEFAULT_TIMEOUT)
    }

    /// Does as [`force_flush`](Self::force_flush) within `timeout`, for all exporters and processors together.
    ///
    /// If there are several, the exporters deliver first, each within its share of half the time, so that none of them can
    /// exhaust it. The processors follow, in order, and then once more the exporters.
    ///
    /// # Errors
    ///
    /// Returns the first error. Calls every exporter and processor nevertheless.
    pub fn force_flush_with_timeout(&self, timeout: Duration) -> Result<(), ProviderError> {
        self.guard.flush(timeout)
    }

    /// Flushes and stops every exporter and processor, within 5 s. Records that are emitted later are dropped, and the exporters
    /// count them.
    ///
    /// # Errors
    ///
    /// Returns the first error, or [`AlreadyShutDown`](ProviderError::AlreadyShutDown).
    pub fn shutdown(&self) -> Result<(), ProviderError> {
        self.shutdown_with_timeout(DEFAULT_TIMEOUT)
    }

    /// Does as [`shutdown`](Self::shutdown) within `timeout`, for all exporters and processors together, in the order of
    /// [`force_flush_with_timeout`](Self::force_flush_with_timeout).
    ///
    /// # Errors
    ///
    /// Returns the first error, or [`AlreadyShutDown`](ProviderError::AlreadyShutDown).
    pub fn shutdown_with_timeout(&self, timeout: Duration) -> Result<(), ProviderError> {
        self.guard.shut_down(timeout)
    }

    /// Returns the number of records in every state. Allocates.
    pub fn stats(&self) -> LogStats {
        LogStats::new(self.guard.provider())
    }
}

impl opentelemetry::logs::LoggerProvider for LoggerProvider {
    type Logger = Logger;

    fn logger_with_scope(&self, scope: InstrumentationScope) -> Logger {
        Self::logger_with_scope(self, scope)
    }
}
