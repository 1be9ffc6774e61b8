use super::error::{ProcessorError, ProviderError};
use super::{Sink, SinkProcessor};
use std::time::{Duration, Instant};
use zerospan_core::{log, panics};
use zerospan_export::FlushError;

/// Flushes every sink within `timeout`, for all of them together.
///
/// # Errors
///
/// Returns the first error. Flushes every sink nevertheless.
pub fn flush<P: SinkProcessor + ?Sized>(
    sinks: &[Sink<P>],
    timeout: Duration,
) -> Result<(), ProviderError> {
    for_each(sinks, timeout, |sink, timeout| match sink {
        Sink::Pipeline(pipeline) => pipeline.force_flush(timeout).map_err(ProviderError::Flush),
        Sink::Processor(processor) => call(|| processor.force_flush(timeout)),
    })
}

/// Shuts every sink down within `timeout`, for all of them together.
///
/// # Errors
///
/// Returns the first error. Shuts every sink down nevertheless.
pub fn shut_down<P: SinkProcessor + ?Sized>(
    sinks: &[Sink<P>],
    timeout: Duration,
) -> Result<(), ProviderError> {
    for_each(sinks, timeout, |sink, timeout| match sink {
        Sink::Pipeline(pipeline) => pipeline.shutdown(timeout).map_err(ProviderError::Shutdown),
        Sink::Processor(processor) => call(|| processor.shutdown(timeout)),
    })
}

/// Calls a processor. Its panic is an error, and others are called nevertheless.
fn call(work: impl FnOnce() -> Result<(), ProcessorError>) -> Result<(), ProviderError> {
    let result = panics::catch(work)
        .unwrap_or_else(|message| Err(format!("the processor panicked: {message}").into()));
    result.map_err(ProviderError::Processor)
}

/// Calls `visit` for every processor, in order, and then for every pipeline. Returns the first error.
fn for_each<P: ?Sized>(
    sinks: &[Sink<P>],
    timeout: Duration,
    mut visit: impl FnMut(&Sink<P>, Duration) -> Result<(), ProviderError>,
) -> Result<(), ProviderError> {
    let started = Instant::now();
    let mut outcome = flush_pipelines_first(sinks, timeout);
    // The pipelines come last: they have delivered, and still get what the processors pass on.
    let processors = sinks.iter().filter(|sink| sink.pipeline().is_none());
    let pipelines = sinks.iter().filter(|sink| sink.pipeline().is_some());
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
/// the others their items.
///
/// Each pipeline waits for its share of half the timeout. What is not delivered by then stays queued, so a slow collector
/// gets the rest of the time too.
fn flush_pipelines_first<P: ?Sized>(
    sinks: &[Sink<P>],
    timeout: Duration,
) -> Result<(), ProviderError> {
    let started = Instant::now();
    let mut outcome = Ok(());
    if sinks.len() == 1 {
        return outcome;
    }
    let mut waiting = sinks.iter().filter_map(Sink::pipeline).count() as u32;
    for pipeline in sinks.iter().filter_map(Sink::pipeline) {
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
