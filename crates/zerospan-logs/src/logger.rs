//! Loggers create records and emit them.

use crate::processor::catch_panic;
use crate::record::LogRecord;
use crate::slot::Slot;
use crate::state::{LogSink, ProviderInner, ShutdownGuard};
use crate::this_thread;
use opentelemetry::InstrumentationScope;
use opentelemetry::logs::{self as api, Severity};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use zerospan_core::log;
use zerospan_export::{Pipeline, Scope};
use zerospan_pool::thread_states::OwnerId;
use zerospan_trace::shared;

/// Creates and emits log records of one instrumentation scope.
///
/// Implements OpenTelemetry's [`Logger`](opentelemetry::logs::Logger). Cloning copies two pointers.
#[derive(Clone)]
pub struct Logger {
    guard: Arc<ShutdownGuard>,
    inner: Arc<LoggerInner>,
}

struct LoggerInner {
    id: OwnerId,
    scope: InstrumentationScope,
    encoded_scope: Scope,
}

impl Logger {
    pub(crate) fn new(guard: Arc<ShutdownGuard>, scope: InstrumentationScope) -> Self {
        let inner = Arc::new(LoggerInner {
            id: OwnerId::unique(),
            encoded_scope: Scope::new(&scope),
            scope,
        });
        Self { guard, inner }
    }

    /// Returns the scope of this logger's records.
    pub fn instrumentation_scope(&self) -> &InstrumentationScope {
        &self.inner.scope
    }

    /// Creates a record, in memory that the thread reuses. The same as the trait's `create_log_record`.
    #[inline]
    pub fn record(&self) -> LogRecord {
        let provider = self.provider();
        if provider.is_noop {
            return LogRecord::default();
        }
        LogRecord::new(&provider.limits)
    }

    /// Emits a record: passes it to the provider's processors and exporters. The same as the trait's method.
    ///
    /// A record without a trace context gets that of this thread's current span, entered natively or through the API, and one
    /// without an observed time gets the current time. Where telemetry is suppressed, the record is dropped, and not counted.
    /// After the shutdown, the exporters count it as dropped.
    #[inline]
    pub fn emit(&self, mut record: LogRecord) {
        let Some(slot) = &mut record.slot else { return };
        if self.provider().is_noop {
            return;
        }
        let recorder = &mut slot.recorder;
        if recorder.span().is_some() {
            if log::is_suppressed() {
                return;
            }
        } else {
            let Some(span) = shared::current_ids() else {
                return;
            };
            if span.is_valid() {
                recorder.set_trace_context(span.trace_id, span.span_id, span.flags);
            }
        }
        self.pass_on(&mut record);
    }

    /// Emits a record as it is: without the ids of the current span, and wherever telemetry is suppressed.
    #[doc(hidden)]
    #[inline]
    pub fn emit_as_is(&self, mut record: LogRecord) {
        if record.slot.is_some() {
            self.pass_on(&mut record);
        }
    }

    /// Returns `true` if a record of this severity, target and event name would get anywhere. The same as the trait's method.
    ///
    /// That is not so where telemetry is suppressed, if the provider is disabled or has neither exporters nor processors, and if
    /// it has only processors which all ignore it.
    #[inline]
    pub fn event_enabled(&self, severity: Severity, target: &str, name: Option<&str>) -> bool {
        !self.provider().is_noop && !log::is_suppressed() && self.takes(severity, target, name)
    }

    /// Does as [`event_enabled`](Self::event_enabled) where telemetry is known not to be suppressed.
    #[doc(hidden)]
    #[inline]
    pub fn takes(&self, severity: Severity, target: &str, name: Option<&str>) -> bool {
        let provider = self.provider();
        !provider.is_noop
            && (!provider.has_processors || is_taken(provider, severity, target, name))
    }

    /// Reads the provider's clock: nanoseconds since 1970.
    #[doc(hidden)]
    #[inline]
    pub fn unix_nanos(&self) -> u64 {
        let provider = self.provider();
        this_thread::unix_nanos(provider.id, &provider.clock)
    }

    #[inline]
    fn provider(&self) -> &ProviderInner {
        self.guard.provider()
    }

    #[inline]
    fn pass_on(&self, record: &mut LogRecord) {
        let provider = self.provider();
        let Some(slot) = &mut record.slot else { return };
        let recorder = &mut slot.recorder;
        if recorder.observed_time_unix_nanos() == 0 {
            recorder.set_observed_time(this_thread::unix_nanos(provider.id, &provider.clock));
        }
        provider.mark_used();
        if provider.has_processors {
            self.pass_to_sinks(record);
        } else {
            for sink in provider.sinks.iter() {
                if let LogSink::Pipeline(pipeline) = sink {
                    self.export(pipeline, slot);
                }
            }
        }
        if record.dropped_attributes() != 0 {
            warn_dropped(provider, record);
        }
    }

    /// Passes the record to processors and exporters, in order.
    #[cold]
    #[inline(never)]
    fn pass_to_sinks(&self, record: &mut LogRecord) {
        let provider = self.provider();
        for sink in provider.sinks.iter() {
            match sink {
                LogSink::Processor(processor) => {
                    if !provider.is_shut_down.load(Ordering::Acquire) {
                        catch_panic(|| processor.on_emit(record, &self.inner.scope));
                    }
                }
                LogSink::Pipeline(pipeline) => {
                    if let Some(slot) = &record.slot {
                        self.export(pipeline, slot);
                    }
                }
            }
        }
    }

    #[inline]
    fn export(&self, pipeline: &Pipeline, slot: &Slot) {
        let record = |scope: &Scope| {
            // The pipeline counts what it does not accept.
            let _ = pipeline.record_trusted(scope, |chunk| slot.recorder.finish(chunk));
        };
        match &slot.target {
            None => record(&self.inner.encoded_scope),
            Some(target) => record(&this_thread::scope_of(
                self.inner.id,
                &self.inner.scope,
                target,
            )),
        }
    }
}

impl api::Logger for Logger {
    type LogRecord = LogRecord;

    #[inline]
    fn create_log_record(&self) -> LogRecord {
        self.record()
    }

    #[inline]
    fn emit(&self, record: LogRecord) {
        Self::emit(self, record);
    }

    #[inline]
    fn event_enabled(&self, level: Severity, target: &str, name: Option<&str>) -> bool {
        Self::event_enabled(self, level, target, name)
    }
}

/// Returns `true` if an exporter or a processor takes such records.
#[cold]
#[inline(never)]
fn is_taken(
    provider: &ProviderInner,
    severity: Severity,
    target: &str,
    name: Option<&str>,
) -> bool {
    provider.sinks.iter().any(|sink| match sink {
        LogSink::Pipeline(_) => true,
        LogSink::Processor(processor) => {
            catch_panic(|| processor.event_enabled(severity, target, name)).unwrap_or(true)
        }
    })
}

#[cold]
#[inline(never)]
fn warn_dropped(provider: &ProviderInner, record: &LogRecord) {
    provider.limited.fetch_add(1, Ordering::Relaxed);
    let Some(skipped) = provider.limit_warning.admit() else {
        return;
    };
    let dropped_attributes = record.dropped_attributes();
    log::suppressed(move || {
        tracing::warn!(
            name: "LogRecordLimitExceeded",
            skipped,
            dropped_attributes,
            "a log record exceeded its limit or got a value of an unsupported kind, and lost attributes: raise \
             OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT, or record less; logged once a minute, with the number of records skipped"
        );
    });
}

impl fmt::Debug for Logger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logger")
            .field("name", &self.inner.scope.name())
            .field("version", &self.inner.scope.version())
            .finish_non_exhaustive()
    }
}
