//! The state that a provider's handles and loggers share.

use crate::processor::Processor;
use crate::sdk::Resource;
use crate::slot;
use std::fmt;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use zerospan_core::fork::{self, ProcessOwned};
use zerospan_core::log::{self, LogLimit};
use zerospan_core::panics;
use zerospan_export::Pipeline;
use zerospan_otlp::LogRecordLimits;
use zerospan_pool::thread_states::OwnerId;
use zerospan_trace::shared::{self, DEFAULT_TIMEOUT, Sink};
use zerospan_trace::{Clock, ProviderError};

/// The state of a provider.
///
/// A forked child uses the same settings and sinks, and forgets them: a drop there could wait for a thread of the parent's.
pub(crate) struct ProviderInner {
    pub(crate) id: OwnerId,
    pub(crate) clock: ProcessOwned<Clock>,
    /// The processors and pipelines that get each record, in order.
    pub(crate) sinks: ProcessOwned<Vec<LogSink>>,
    pub(crate) resource: ProcessOwned<Resource>,
    pub(crate) limits: LogRecordLimits,
    pub(crate) has_processors: bool,
    /// No record is taken: the provider is disabled or has no sinks.
    pub(crate) is_noop: bool,
    pub(crate) is_shut_down: AtomicBool,
    /// The fork generation of the process that used the provider last.
    used_in: AtomicU64,
    /// Records that lost attributes to the limits.
    pub(crate) limited: AtomicU64,
    pub(crate) limit_warning: LogLimit,
}

/// A receiver of log records.
pub(crate) type LogSink = Sink<dyn Processor>;

/// The parts of a [`ProviderInner`].
pub(crate) struct ProviderConfig {
    pub(crate) clock: Clock,
    pub(crate) sinks: Vec<LogSink>,
    pub(crate) resource: Resource,
    pub(crate) limits: LogRecordLimits,
    pub(crate) is_disabled: bool,
}

impl ProviderInner {
    pub(crate) fn new(config: ProviderConfig) -> Self {
        let provider = Self {
            id: OwnerId::unique(),
            has_processors: config.sinks.iter().any(|sink| sink.processor().is_some()),
            is_noop: config.is_disabled || config.sinks.is_empty(),
            clock: ProcessOwned::new(config.clock),
            sinks: ProcessOwned::new(config.sinks),
            resource: ProcessOwned::new(config.resource),
            limits: config.limits,
            is_shut_down: AtomicBool::new(false),
            used_in: AtomicU64::new(fork::generation()),
            limited: AtomicU64::new(0),
            limit_warning: LogLimit::new(),
        };
        provider.trim_slots();
        provider
    }

    /// Has the exporters' workers of this process free slots that were idle for long.
    fn trim_slots(&self) {
        for pipeline in self.pipelines() {
            pipeline.trim_too(slot::trimmed());
        }
    }

    pub(crate) fn pipelines(&self) -> impl Iterator<Item = &Pipeline> {
        self.sinks.iter().filter_map(Sink::pipeline)
    }

    /// Notes that this process emits records.
    #[inline]
    pub(crate) fn mark_used(&self) {
        let generation = fork::generation();
        if self.used_in.load(Ordering::Relaxed) != generation {
            self.used_in.store(generation, Ordering::Relaxed);
            // The parent's numbers are not this process's.
            self.limited.store(0, Ordering::Relaxed);
            self.trim_slots();
        }
    }

    /// Returns `true` if this process made the provider or has emitted records.
    pub(crate) fn is_used_here(&self) -> bool {
        self.used_in.load(Ordering::Relaxed) == fork::generation()
    }
}

impl Drop for ProviderInner {
    fn drop(&mut self) {
        // User code, also in the destructor of a thread-local, where a panic ends the process. One after the other, since two
        // panics at once end it too.
        if self.sinks.is_current() {
            for sink in self.sinks.drain(..) {
                panics::drop_quietly(sink);
            }
            panics::drop_quietly(mem::replace(&mut *self.clock, Clock::system()));
        }
    }
}

impl fmt::Debug for ProviderInner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderInner")
            .field("id", &self.id)
            .field("clock", &self.clock)
            .field("sinks", &self.sinks.len())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// Shuts a provider down with its last handle.
#[derive(Debug)]
pub(crate) struct ShutdownGuard(ProviderInner);

impl ShutdownGuard {
    pub(crate) fn new(provider: ProviderInner) -> Self {
        Self(provider)
    }

    #[inline]
    pub(crate) fn provider(&self) -> &ProviderInner {
        &self.0
    }

    pub(crate) fn flush(&self, timeout: Duration) -> Result<(), ProviderError> {
        shared::flush(&self.0.sinks, timeout)
    }

    pub(crate) fn shut_down(&self, timeout: Duration) -> Result<(), ProviderError> {
        if self.0.is_shut_down.swap(true, Ordering::AcqRel) {
            return Err(ProviderError::AlreadyShutDown);
        }
        shared::shut_down(&self.0.sinks, timeout)
    }
}

impl Drop for ShutdownGuard {
    fn drop(&mut self) {
        // A forked child that has not used the provider has nothing to pass on, and the processors are the parent's.
        if !self.0.is_used_here() {
            return;
        }
        if let Err(error) = self.shut_down(DEFAULT_TIMEOUT)
            && !matches!(error, ProviderError::AlreadyShutDown)
        {
            static WARNING: LogLimit = LogLimit::new();
            WARNING.log(move |skipped| {
                let cause = log::causes(&error);
                tracing::warn!(
                    name: "ProviderDroppedLogRecords",
                    skipped,
                    error = %error,
                    cause,
                    "the last handle of a logger provider was dropped, and its shutdown failed"
                );
            });
        }
        log::settle();
    }
}
