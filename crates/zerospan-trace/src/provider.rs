use crate::core::{Core, Stage};
use crate::{ProviderError, TraceStats, Tracer, TracerProviderBuilder};
use opentelemetry::InstrumentationScope;
use opentelemetry_sdk::Resource;
use std::sync::Arc;
use std::time::{Duration, Instant};
use zerospan_export::{FlushError, Pipeline};

/// Makes tracers, and holds what they share: sampler, limits, resource, processors and exporters.
///
/// OpenTelemetry's [`TracerProvider`](opentelemetry::trace::TracerProvider): it stands in for the stock SDK's. Cloning it
/// copies a pointer. When the last of its clones and tracers is dropped without [`shutdown`](Self::shutdown), it is shut down
/// with a timeout of 5 s; spans that are still open then are dropped and counted when they end.
#[derive(Clone, Debug)]
pub struct TracerProvider {
    owner: Arc<Owner>,
}

/// Shuts the provider down with its last handle. Open spans do not hold it: that would cost each of them a count of
/// references that all threads share.
#[derive(Debug)]
pub(crate) struct Owner {
    core: Arc<Core>,
}

/// How long a shutdown or a flush may take if nothing is said: as long as the stock SDK's.
const TIMEOUT: Duration = Duration::from_secs(5);

impl TracerProvider {
    /// Begins to set a provider up, from the environment's variables.
    pub fn builder() -> TracerProviderBuilder {
        TracerProviderBuilder::default()
    }

    pub(crate) fn from_core(core: Arc<Core>) -> Self {
        Self {
            owner: Arc::new(Owner { core }),
        }
    }

    /// What the spans are about.
    pub fn resource(&self) -> &Resource {
        &self.owner.core.resource
    }

    /// The exporters, in order.
    pub fn pipelines(&self) -> impl Iterator<Item = &Pipeline> {
        self.owner.core.pipelines()
    }

    /// Has every exporter deliver, and every processor pass on, what ended before, within 5 s.
    ///
    /// # Errors
    ///
    /// The first failure. All are asked nevertheless.
    pub fn force_flush(&self) -> Result<(), ProviderError> {
        self.force_flush_with_timeout(TIMEOUT)
    }

    /// [`force_flush`](Self::force_flush) within `timeout`, all exporters and processors together.
    ///
    /// Where there are several, the exporters deliver first, each within its share of half the time, so that
    /// one of them that takes all the time there is does not keep the others from it. The processors follow, in
    /// order, and then once more the exporters.
    ///
    /// # Errors
    ///
    /// The first failure. All are asked nevertheless.
    pub fn force_flush_with_timeout(&self, timeout: Duration) -> Result<(), ProviderError> {
        self.owner
            .core
            .tell_all(timeout, |stage, left| match stage {
                Stage::Processor(processor) => processor
                    .force_flush(left)
                    .map_err(ProviderError::Processor),
                Stage::Pipeline(pipeline) => {
                    pipeline.force_flush(left).map_err(ProviderError::Flush)
                }
            })
    }

    /// Flushes and stops every exporter and processor, within 5 s. Spans that start from here on are no-ops that carry their
    /// parent's context on, and are counted.
    ///
    /// # Errors
    ///
    /// The first failure, or that this has been done before.
    pub fn shutdown(&self) -> Result<(), ProviderError> {
        self.shutdown_with_timeout(TIMEOUT)
    }

    /// [`shutdown`](Self::shutdown) within `timeout`, all exporters and processors together, and in the order of
    /// [`force_flush_with_timeout`](Self::force_flush_with_timeout): exporters deliver before a processor is asked.
    ///
    /// # Errors
    ///
    /// The first failure, or that this has been done before.
    pub fn shutdown_with_timeout(&self, timeout: Duration) -> Result<(), ProviderError> {
        self.owner.shutdown(timeout)
    }

    /// Where every span is, at this instant. Allocates.
    pub fn stats(&self) -> TraceStats {
        let exports = self.pipelines().map(Pipeline::stats).collect();
        TraceStats::new(&self.owner.core, exports)
    }
}

impl opentelemetry::trace::TracerProvider for TracerProvider {
    type Tracer = Tracer;

    fn tracer_with_scope(&self, scope: InstrumentationScope) -> Tracer {
        Tracer::new(Arc::clone(&self.owner), scope)
    }
}

/// The provider that [`TracerProvider::builder`] builds if nothing is said: it exports to nobody.
impl Default for TracerProvider {
    fn default() -> Self {
        Self::builder().build()
    }
}

impl Owner {
    #[inline]
    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    fn shutdown(&self, timeout: Duration) -> Result<(), ProviderError> {
        if !self.core.shut_down() {
            return Err(ProviderError::AlreadyShutDown);
        }
        self.core.tell_all(timeout, |stage, left| match stage {
            Stage::Processor(processor) => {
                processor.shutdown(left).map_err(ProviderError::Processor)
            }
            Stage::Pipeline(pipeline) => pipeline.shutdown(left).map_err(ProviderError::Shutdown),
        })
    }
}

impl Core {
    /// Asks all processors in order, and then all exporters; the first failure is what is returned.
    fn tell_all(
        &self,
        timeout: Duration,
        mut ask: impl FnMut(&Stage, Duration) -> Result<(), ProviderError>,
    ) -> Result<(), ProviderError> {
        let began = Instant::now();
        let mut outcome = self.deliver_beforehand(timeout);
        // The exporters last: they have nothing to lose by now, and what processors still do reaches them.
        let is_exporter = |stage: &&Stage| matches!(stage, Stage::Pipeline(_));
        let processors = self.stages.iter().filter(|stage| !is_exporter(stage));
        let exporters = self.stages.iter().filter(is_exporter);
        for stage in processors.chain(exporters) {
            let answer = ask(stage, timeout.saturating_sub(began.elapsed()));
            if outcome.is_ok() {
                outcome = answer;
            }
        }
        outcome
    }

    /// Has the exporters deliver before anybody is asked for more: whoever takes longer than there is time leaves those
    /// behind no time, but nothing to lose either. Nobody waits here for more than a share of half of `timeout`, and what
    /// is on its way by then stays so: a slow collector has the rest of the time as well.
    fn deliver_beforehand(&self, timeout: Duration) -> Result<(), ProviderError> {
        let began = Instant::now();
        let mut outcome = Ok(());
        if self.stages.len() == 1 {
            return outcome;
        }
        let mut waiting = self.pipelines().count() as u32;
        for pipeline in self.pipelines() {
            let left = (timeout / 2).saturating_sub(began.elapsed());
            let answer = pipeline.force_flush(left / waiting);
            waiting -= 1;
            // What timed out, or was shut down by somebody else, says so when it is asked.
            if let Err(error @ FlushError::Lost { .. }) = answer
                && outcome.is_ok()
            {
                outcome = Err(ProviderError::Flush(error));
            }
        }
        outcome
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        if let Err(error) = self.shutdown(TIMEOUT)
            && !matches!(error, ProviderError::AlreadyShutDown)
        {
            tracing::warn!(
                name: "ProviderDroppedSpans",
                error = %error,
                "the last handle of a tracer provider was dropped before it was shut down"
            );
        }
        self.core.leave();
    }
}
