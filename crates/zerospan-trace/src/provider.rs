//! The tracer provider: its handle, its builder and its statistics.

mod builder;
mod env;
mod stats;

pub use builder::TracerProviderBuilder;
pub use stats::TraceStats;

use crate::sdk::Resource;
use crate::shutdown::ShutdownGuard;
use crate::sink::{DEFAULT_TIMEOUT, ProviderError};
use crate::span::{ProviderConfig, ProviderInner};
use crate::tracer::Tracer;
use opentelemetry::InstrumentationScope;
use std::sync::Arc;
use std::time::Duration;
use zerospan_export::Pipeline;

/// Creates tracers, and holds what they share: sampler, limits, resource, processors and exporters.
///
/// Implements OpenTelemetry's [`TracerProvider`](opentelemetry::trace::TracerProvider), and replaces the official SDK's.
/// Cloning copies a pointer. Dropping the last of its clones and tracers shuts it down with a timeout of 5 s, unless
/// [`shutdown`](Self::shutdown) was called; spans that are still open then are dropped and counted when they end.
#[derive(Clone, Debug)]
pub struct TracerProvider {
    guard: Arc<ShutdownGuard>,
}

impl TracerProvider {
    fn new(config: ProviderConfig) -> Self {
        Self {
            guard: Arc::new(ShutdownGuard::new(ProviderInner::new(config))),
        }
    }

    /// Returns the resource of the spans.
    pub fn resource(&self) -> &Resource {
        &self.guard.provider().resource
    }

    /// Returns the exporters, in order.
    pub fn pipelines(&self) -> impl Iterator<Item = &Pipeline> {
        self.guard.provider().pipelines()
    }

    /// Waits up to 5 s until every exporter has delivered, and every processor has passed on, the spans that ended before.
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
        let outcome = self.guard.flush(timeout);
        self.guard.provider().trim_without_worker();
        outcome
    }

    /// Flushes and stops every exporter and processor, within 5 s. Later spans are no-ops that carry their parent's context on,
    /// and are counted.
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
        self.guard.shutdown(timeout)
    }

    /// Returns the number of spans in every state. Allocates.
    pub fn stats(&self) -> TraceStats {
        TraceStats::new(self.guard.provider())
    }
}

impl opentelemetry::trace::TracerProvider for TracerProvider {
    type Tracer = Tracer;

    fn tracer_with_scope(&self, scope: InstrumentationScope) -> Tracer {
        Tracer::new(Arc::clone(&self.guard), scope)
    }
}
