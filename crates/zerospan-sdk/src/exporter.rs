use crate::{outcome, recycled, scopes};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use std::time::Duration;
use zerospan_export::{BatchConfig, ConfigError, EncodedResource, OtlpConfig, Pipeline};
use zerospan_otlp::encode_span_data;

/// The stock SDK's span exporter, for those who keep its batch processor: encodes a batch straight to bytes and waits until it
/// is delivered.
#[derive(Debug)]
pub struct OtlpSpanExporter {
    pipeline: Pipeline,
    timeout: Duration,
}

impl OtlpSpanExporter {
    /// Sends spans through `pipeline`, which should be this exporter's own, and built
    /// [without a worker](zerospan_export::PipelineBuilder::without_worker): the batch processor's thread then sends what it
    /// encodes. The provider's resource becomes the pipeline's, unless that was given one.
    pub fn new(pipeline: Pipeline) -> Self {
        Self {
            pipeline,
            timeout: BatchConfig::default().export_timeout,
        }
    }

    /// Sends spans where `OTEL_EXPORTER_OTLP_*` says, for the time of `OTEL_BSP_EXPORT_TIMEOUT` at most.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the pipeline cannot be built. What cannot be used in the environment is reported and ignored.
    pub fn from_env() -> Result<Self, ConfigError> {
        let batch = BatchConfig::from_env();
        let pipeline = Pipeline::builder()
            .with_otlp(OtlpConfig::from_env())
            .with_batch(batch)
            .without_worker()
            .build()?;
        Ok(Self {
            timeout: batch.export_timeout,
            ..Self::new(pipeline)
        })
    }

    /// How long one call to `export` may take: 30 s. What is not delivered then is still on its way, and in the statistics.
    #[must_use]
    pub fn with_export_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The pipeline: for its statistics.
    pub fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    fn deliver(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        let mut refused = 0_u64;
        let mut outcome = Ok(());
        // Where they lie: a span is too large to be moved for nothing.
        for span in &mut batch {
            // The batch processor hands over what is recorded only as well.
            if span.span_context.is_sampled() {
                if self.pipeline.wants_flush() {
                    outcome = outcome.and(self.flush());
                }
                scopes::encoded(&span.instrumentation_scope, |scope| {
                    let recorded = self
                        .pipeline
                        .record(scope, |chunk| encode_span_data(span, chunk));
                    refused += u64::from(recorded.is_err());
                });
            }
            recycled::recycle(span);
        }
        outcome = outcome.and(self.flush());
        if refused > 0 && outcome.is_ok() {
            return Err(OTelSdkError::InternalFailure(format!(
                "{refused} spans were not taken: the statistics of the pipeline say why"
            )));
        }
        outcome
    }

    fn flush(&self) -> OTelSdkResult {
        outcome::of_flush(self.pipeline.force_flush(self.timeout), self.timeout)
    }
}

impl SpanExporter for OtlpSpanExporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.deliver(batch)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        outcome::of_shutdown(self.pipeline.shutdown(timeout))
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.pipeline
            .set_resource(EncodedResource::from_sdk(resource));
    }
}
