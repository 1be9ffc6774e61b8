//! Observers of spans.

mod finished_span;

pub use finished_span::FinishedSpan;
pub(crate) use finished_span::IS_REMOTE;

use super::Span;
use crate::sdk::Resource;
use crate::sink::{ProcessorError, SinkProcessor};
use opentelemetry::Context;
use std::fmt;
use std::time::Duration;
use zerospan_core::log::LogLimit;
use zerospan_core::panics;

/// Observes every span that is recorded, including those that are not exported.
///
/// A provider calls its processors in the order in which its builder got them, on the thread that starts or ends the span,
/// and without a lock or a borrow: a processor may start spans, which are passed to it too. A panic is caught: that of a flush
/// or a shutdown is its error, and any other is logged.
pub trait Processor: Send + Sync + fmt::Debug {
    /// Called when a span has started in the context `parent`. The span can be written to.
    ///
    /// If the parent was entered natively, the context is built for this call, which allocates.
    fn on_start(&self, span: &mut Span, parent: &Context) {
        let _ = (span, parent);
    }

    /// Called when a span is about to end and can be written to for the last time. Ending it here does nothing.
    ///
    /// A processor that replaces the span takes it over: it ends when it is dropped, and no processor sees it ending again.
    fn on_ending(&self, span: &mut Span) {
        let _ = span;
    }

    /// Called when a span has ended.
    fn on_end(&self, span: &FinishedSpan<'_>) {
        let _ = span;
    }

    /// Receives the provider's resource, once, before the first span.
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

/// Runs a processor's code, and logs a panic: neither the span nor the traced program is lost to it.
pub(crate) fn catch_panic(work: impl FnOnce()) {
    if let Err(message) = panics::catch(work) {
        static WARNING: LogLimit = LogLimit::new();
        WARNING.log(move |skipped| {
            tracing::error!(
                name: "ProcessorPanicked",
                skipped,
                message,
                "a span processor panicked: the span is kept, and the processor is called again for the next one; logged \
                 once a minute, with the number of panics skipped"
            );
        });
    }
}
