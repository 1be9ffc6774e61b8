//! Observers of log records.

pub use zerospan_trace::ProcessorError;

use crate::record::LogRecord;
use crate::sdk::Resource;
use opentelemetry::InstrumentationScope;
use opentelemetry::logs::Severity;
use std::fmt;
use std::time::Duration;
use zerospan_core::log::LogLimit;
use zerospan_core::panics;
use zerospan_trace::shared::SinkProcessor;

/// Observes every log record, and may change it.
///
/// A provider calls its processors and exporters in the order in which its builder got them, on the thread that emits the
/// record, and without a lock or a borrow: a processor may emit records, which are passed to it too. A panic is caught: that
/// of a flush or a shutdown is its error, and any other is logged.
pub trait Processor: Send + Sync + fmt::Debug {
    /// Called when a record is emitted, with the scope of its logger. The sinks that follow see what the processor changes.
    ///
    /// A processor that takes the record out, with [`std::mem::take`], keeps it from them.
    fn on_emit(&self, record: &mut LogRecord, scope: &InstrumentationScope) {
        let _ = (record, scope);
    }

    /// Returns `false` if the processor ignores records of this severity, target and event name. They are enabled if an exporter
    /// or one of the processors takes them.
    fn event_enabled(&self, severity: Severity, target: &str, name: Option<&str>) -> bool {
        let _ = (severity, target, name);
        true
    }

    /// Receives the provider's resource, once, before the first record.
    fn set_resource(&mut self, resource: &Resource) {
        let _ = resource;
    }

    /// Passes on what the processor holds.
    ///
    /// # Errors
    ///
    /// Any failure to do so within `timeout`.
    fn force_flush(&self, timeout: Duration) -> Result<(), ProcessorError> {
        let _ = timeout;
        Ok(())
    }

    /// Passes on what the processor holds, and stops. Called once.
    ///
    /// # Errors
    ///
    /// Any failure to do so within `timeout`.
    fn shutdown(&self, timeout: Duration) -> Result<(), ProcessorError> {
        let _ = timeout;
        Ok(())
    }
}

impl SinkProcessor for dyn Processor {
    fn set_resource(&mut self, resource: &Resource) {
        catch_panic(|| Processor::set_resource(self, resource));
    }

    fn force_flush(&self, timeout: Duration) -> Result<(), ProcessorError> {
        Processor::force_flush(self, timeout)
    }

    fn shutdown(&self, timeout: Duration) -> Result<(), ProcessorError> {
        Processor::shutdown(self, timeout)
    }
}

/// Runs a processor's code, and logs a panic: neither the record nor the program is lost to it. Returns `None` then.
pub(crate) fn catch_panic<O>(work: impl FnOnce() -> O) -> Option<O> {
    match panics::catch(work) {
        Ok(output) => Some(output),
        Err(message) => {
            static WARNING: LogLimit = LogLimit::new();
            WARNING.log(move |skipped| {
                tracing::error!(
                    name: "LogProcessorPanicked",
                    skipped,
                    message,
                    "a log processor panicked: the record is kept, and the processor is called again for the next one; \
                     logged once a minute, with the number of panics skipped"
                );
            });
            None
        }
    }
}
