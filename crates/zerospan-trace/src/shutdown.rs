//! Flush and shutdown of a provider.

mod error;

pub use error::ProviderError;

use crate::span::{ProcessorError, ProviderInner, SpanSink};
use std::sync::Arc;
use std::time::{Duration, Instant};
use zerospan_core::log::{self, LogLimit};
use zerospan_core::panics;
use zerospan_export::FlushError;

/// The default timeout of a flush and of a shutdown: the official SDK's.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

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
        for_each_sink(&self.provider, timeout, |sink, timeout| match sink {
            SpanSink::Processor(processor) => call(|| processor.force_flush(timeout)),
            SpanSink::Pipeline(pipeline) => {
                pipeline.force_flush(timeout).map_err(ProviderError::Flush)
            }
        })
    }

    pub(crate) fn shutdown(&self, timeout: Duration) -> Result<(), ProviderError> {
        if !self.provider.begin_shutdown() {
            return Err(ProviderError::AlreadyShutDown);
        }
        for_each_sink(&self.provider, timeout, |sink, timeout| match sink {
            SpanSink::Processor(processor) => call(|| processor.shutdown(timeout)),
            SpanSink::Pipeline(pipeline) => {
                pipeline.shutdown(timeout).map_err(ProviderError::Shutdown)
            }
        })
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
                let cause = std::error::Error::source(&error);
                tracing::warn!(
                    name: "ProviderDroppedSpans",
                    skipped,
                    error = %error,
                    cause = cause.map(tracing::field::display),
                    "the last handle of a tracer provider was dropped, and its shutdown failed"
                );
            });
        }
        self.provider.close();
        log::settle();
    }
}

/// Calls a processor. Its panic is an error, and others are called nevertheless.
fn call(work: impl FnOnce() -> Result<(), ProcessorError>) -> Result<(), ProviderError> {
    let result = panics::catch(work)
        .unwrap_or_else(|message| Err(format!("the span processor panicked: {message}").into()));
    result.map_err(ProviderError::Processor)
}

/// Calls `visit` for every processor, in order, and then for every pipeline. Returns the first error.
fn for_each_sink(
    provider: &ProviderInner,
    timeout: Duration,
    mut visit: impl FnMut(&SpanSink, Duration) -> Result<(), ProviderError>,
) -> Result<(), ProviderError> {
    let started = Instant::now();
    let mut outcome = flush_pipelines_first(provider, timeout);
    // The pipelines come last: they have delivered, and still get what the processors pass on.
    let is_pipeline = |sink: &&SpanSink| matches!(sink, SpanSink::Pipeline(_));
    let processors = provider.sinks.iter().filter(|sink| !is_pipeline(sink));
    let pipelines = provider.sinks.iter().filter(is_pipeline);
    for sink in processors.chain(pipelines) {
        let result = visit(sink, timeout.saturating_sub(started.elapsed()));
        if outcome.is_ok() {
            outcome = result;
        } else {
            // The error is the user's, and so is its destructor.
            panics::drop_quietly(result);
        }
    }
    log::settle();
    outcome
}

/// Flushes the pipelines before anything else, if there are several sinks: a sink that then exhausts the timeout cannot cost
/// the others their spans.
///
/// Each pipeline waits for its share of half the timeout. What is not delivered by then stays queued, so a slow collector
/// gets the rest of the time too.
fn flush_pipelines_first(provider: &ProviderInner, timeout: Duration) -> Result<(), ProviderError> {
    let started = Instant::now();
    let mut outcome = Ok(());
    if provider.sinks.len() == 1 {
        return outcome;
    }
    let mut waiting = provider.pipelines().count() as u32;
    for pipeline in provider.pipelines() {
        let left = (timeout / 2).saturating_sub(started.elapsed());
        let result = pipeline.force_flush(left / waiting);
        waiting -= 1;
        // A timeout, or another's shutdown, is reported by the call that follows.
        if let Err(error @ FlushError::Lost { .. }) = result
            && outcome.is_ok()
        {
            outcome = Err(ProviderError::Flush(error));
        }
    }
    outcome
}
