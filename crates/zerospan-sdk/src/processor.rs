use crate::{outcome, recycled, scopes};
use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};
use std::time::Duration;
use zerospan_export::{ConfigError, EncodedResource, Pipeline};
use zerospan_otlp::encode_span_data;

/// Encodes each span where it ends, straight into the ending thread's chunk: the stock SDK's span processor and exporter in
/// one.
///
/// Only sampled spans are exported: one that is recorded only is for other processors to see. When a span is encoded, its
/// vectors are kept for [`recycled_attributes`](crate::recycled_attributes) and its siblings.
///
/// Ending a span allocates nothing of this crate's once the pipeline's memory is there.
#[derive(Debug)]
pub struct OtlpSpanProcessor {
    pipeline: Pipeline,
    flush_timeout: Duration,
}

impl OtlpSpanProcessor {
    /// Sends spans through `pipeline`. The provider's resource becomes the pipeline's, unless that was given one.
    pub fn new(pipeline: Pipeline) -> Self {
        Self {
            pipeline,
            flush_timeout: Duration::from_secs(30),
        }
    }

    /// Sends spans where `OTEL_EXPORTER_OTLP_*` says, gathered as `OTEL_BSP_*` says.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the pipeline cannot be built. What cannot be used in the environment is reported and ignored.
    pub fn from_env() -> Result<Self, ConfigError> {
        Ok(Self::new(Pipeline::builder().from_env().build()?))
    }

    /// How long the provider's `force_flush`, which has no timeout of its own, may take: 30 s.
    #[must_use]
    pub fn with_flush_timeout(mut self, timeout: Duration) -> Self {
        self.flush_timeout = timeout;
        self
    }

    /// The pipeline: for its statistics, and for flushes with a timeout.
    pub fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }
}

impl SpanProcessor for OtlpSpanProcessor {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, mut span: SpanData) {
        if span.span_context.is_sampled() {
            scopes::encoded(&span.instrumentation_scope, |scope| {
                // What is lost is in the counts.
                let _ = self
                    .pipeline
                    .record(scope, |chunk| encode_span_data(&span, chunk));
            });
        }
        recycled::recycle(&mut span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        outcome::of_flush(
            self.pipeline.force_flush(self.flush_timeout),
            self.flush_timeout,
        )
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        outcome::of_shutdown(self.pipeline.shutdown(timeout))
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.pipeline
            .set_resource(EncodedResource::from_sdk(resource));
    }
}
