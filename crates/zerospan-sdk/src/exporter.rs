use crate::{recycled, result, scopes};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use std::time::Duration;
use zerospan_core::log;
use zerospan_core::sync::{self, Mutex};
use zerospan_export::{BatchConfig, ConfigError, EncodedResource, OtlpConfig, Pipeline};
use zerospan_otlp::encode_span_data;

/// A span exporter for the official SDK's batch processor: encodes a batch straight to OTLP bytes and waits for its
/// delivery.
///
/// Under the SDK's simple processor, each export starts a thread, since it must not be traced and the context of the thread that
/// ends a span may be borrowed. The threads of the batch processors suppress telemetry themselves.
///
/// # Examples
///
/// ```no_run
/// use opentelemetry_sdk::trace::{BatchSpanProcessor, SdkTracerProvider};
/// use zerospan_sdk::OtlpSpanExporter;
///
/// let processor = BatchSpanProcessor::builder(OtlpSpanExporter::from_env()?).build();
/// let provider = SdkTracerProvider::builder().with_span_processor(processor).build();
/// # Ok::<(), zerospan_sdk::export::ConfigError>(())
/// ```
#[derive(Debug)]
pub struct OtlpSpanExporter {
    pipeline: Pipeline,
    timeout: Duration,
}

impl OtlpSpanExporter {
    /// Builds an exporter that sends spans through `pipeline`.
    ///
    /// Build the pipeline for this exporter alone, and
    /// [without a worker](zerospan_export::PipelineBuilder::without_worker): the batch processor's thread sends the spans. The
    /// pipeline takes the provider's resource, unless it has one.
    pub fn new(pipeline: Pipeline) -> Self {
        Self {
            pipeline,
            timeout: BatchConfig::default().export_timeout,
        }
    }

    /// Builds an exporter from the variables `OTEL_EXPORTER_OTLP_*` and `OTEL_BSP_*`. Logs and ignores invalid values.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the pipeline cannot be built.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::build(OtlpConfig::from_env(), BatchConfig::from_env())
    }

    /// Builds an exporter as [`from_env`](Self::from_env) does, with the variables that `lookup` finds. Also returns the
    /// invalid values, which are ignored.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the pipeline cannot be built.
    pub fn from_vars(
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<(Self, Vec<ConfigError>), ConfigError> {
        let (otlp, mut ignored) = OtlpConfig::from_vars(&lookup);
        let (batch, ignored_batch) = BatchConfig::from_vars(&lookup);
        ignored.extend(ignored_batch);
        Ok((Self::build(otlp, batch)?, ignored))
    }

    fn build(otlp: OtlpConfig, batch: BatchConfig) -> Result<Self, ConfigError> {
        let pipeline = Pipeline::builder()
            .with_otlp(otlp)
            .with_batch(batch)
            .without_worker()
            .build()?;
        Ok(Self::new(pipeline).with_export_timeout(batch.export_timeout))
    }

    /// Limits the time of one export; 30 s by default. Spans that are not delivered in time remain pending in the pipeline.
    #[must_use]
    pub fn with_export_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Returns the pipeline, for its statistics.
    pub fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    fn deliver(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        let mut rejected = 0_u64;
        let mut result = Ok(());
        // By reference: moving a span out of the vector copies hundreds of bytes.
        for span in &mut batch {
            // The batch processor also passes spans that are recorded and not sampled.
            if span.span_context.is_sampled() {
                if self.pipeline.should_flush() {
                    result = result.and(self.flush());
                }
                scopes::with_encoded(&span.instrumentation_scope, |scope| {
                    let recorded = self
                        .pipeline
                        .record_trusted(scope, |chunk| encode_span_data(span, chunk));
                    rejected += u64::from(recorded.is_err());
                });
            }
            recycled::recycle(span);
        }
        result = result.and(self.flush());
        if rejected > 0 && result.is_ok() {
            return Err(OTelSdkError::InternalFailure(format!(
                "the pipeline rejected {rejected} spans: `pipeline().stats().dropped` counts them by cause"
            )));
        }
        result
    }

    fn flush(&self) -> OTelSdkResult {
        suppressed(|| result::from_flush(self.pipeline.force_flush(self.timeout), self.timeout))
    }
}

/// Calls `send` with telemetry suppressed: on this thread if it is suppressed here, and otherwise on another.
///
/// The simple processor exports on the thread that ends a span, which may be within `get_active_span`: the API lends its
/// context there, and panics if it is changed.
fn suppressed(send: impl FnOnce() -> OTelSdkResult + Send) -> OTelSdkResult {
    if log::is_suppressed() {
        return send();
    }
    let send = Mutex::new(Some(send));
    let run = || match sync::lock(&send).take() {
        Some(send) => send(),
        None => Ok(()),
    };
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().name("zerospan-export".to_owned());
        let thread = builder.spawn_scoped(scope, || {
            let _suppressed = log::suppress_telemetry();
            run()
        });
        match thread {
            Ok(thread) => thread.join().unwrap_or_else(|_| {
                Err(OTelSdkError::InternalFailure(
                    "the thread that exports panicked".to_owned(),
                ))
            }),
            // The system refuses a thread.
            Err(_) => run(),
        }
    })
}

impl SpanExporter for OtlpSpanExporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.deliver(batch)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        suppressed(|| result::from_shutdown(self.pipeline.shutdown(timeout)))
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.pipeline
            .set_resource(EncodedResource::from_sdk(resource));
    }
}
