use crate::{recycled, result, scopes};
use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};
use std::time::Duration;
use zerospan_export::{ConfigError, EncodedResource, Pipeline, PipelineBuilder};
use zerospan_otlp::encode_span_data;

/// A span processor for the official SDK that replaces its batch processor and exporter: encodes each span straight to OTLP
/// bytes, on the thread that ends it.
///
/// Exports sampled spans only. Keeps the vectors of an encoded span for
/// [`recycled_attributes`](crate::recycled_attributes) and its siblings.
///
/// Ending a span does not allocate in steady state.
#[derive(Debug)]
pub struct OtlpSpanProcessor {
    pipeline: Pipeline,
    flush_timeout: Duration,
}

impl OtlpSpanProcessor {
    /// Builds a processor that sends spans through `pipeline`. The pipeline takes the provider's resource, unless it has one.
    pub fn new(pipeline: Pipeline) -> Self {
        Self {
            pipeline,
            flush_timeout: Duration::from_secs(30),
        }
    }

    /// Builds a processor from the variables `OTEL_EXPORTER_OTLP_*` and `OTEL_BSP_*`. Logs and ignores invalid values.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the pipeline cannot be built.
    pub fn from_env() -> Result<Self, ConfigError> {
        Ok(Self::new(PipelineBuilder::from_env().build()?))
    }

    /// Builds a processor as [`from_env`](Self::from_env) does, with the variables that `lookup` finds. Also returns the
    /// invalid values, which are ignored.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the pipeline cannot be built.
    pub fn from_vars(
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<(Self, Vec<ConfigError>), ConfigError> {
        let (builder, ignored) = PipelineBuilder::from_vars(lookup);
        Ok((Self::new(builder.build()?), ignored))
    }

    /// Limits the time of the provider's `force_flush`, which has no timeout parameter; 30 s by default.
    #[must_use]
    pub fn with_flush_timeout(mut self, timeout: Duration) -> Self {
        self.flush_timeout = timeout;
        self
    }

    /// Returns the pipeline, for its statistics and for flushes with a timeout.
    pub fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }
}

impl SpanProcessor for OtlpSpanProcessor {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, mut span: SpanData) {
        if span.span_context.is_sampled() {
            scopes::with_encoded(&span.instrumentation_scope, |scope| {
                // The pipeline counts and logs a rejected span.
                let _ = self
                    .pipeline
                    .record_trusted(scope, |chunk| encode_span_data(&span, chunk));
            });
        }
        recycled::recycle(&mut span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        result::from_flush(
            self.pipeline.force_flush(self.flush_timeout),
            self.flush_timeout,
        )
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        result::from_shutdown(self.pipeline.shutdown(timeout))
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.pipeline
            .set_resource(EncodedResource::from_sdk(resource));
    }
}
