use crate::core::{Core, Setup};
use crate::{BatchConfig, ConfigError, Connect, OtlpConfig, Pipeline, RetryPolicy, Signal};
use opentelemetry::KeyValue;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use zerospan_core::fork;
use zerospan_otlp::EncodedResource;

/// Sets up a [`Pipeline`]: where spans go, what they are about, and how they are gathered.
#[must_use]
pub struct PipelineBuilder {
    connect: Option<Box<dyn Connect>>,
    otlp: Option<OtlpConfig>,
    resource: Option<EncodedResource>,
    batch: BatchConfig,
    retry: RetryPolicy,
    timeout: Option<Duration>,
    drop_timeout: Duration,
    by_hand: bool,
}

impl Default for PipelineBuilder {
    fn default() -> Self {
        Self {
            connect: None,
            otlp: None,
            resource: None,
            batch: BatchConfig::default(),
            retry: RetryPolicy::default(),
            timeout: None,
            drop_timeout: Duration::from_secs(5),
            by_hand: false,
        }
    }
}

impl PipelineBuilder {
    /// Sends requests through what `connect` makes.
    pub fn with_transport(mut self, connect: impl Connect + 'static) -> Self {
        self.connect = Some(Box::new(connect));
        self
    }

    /// Sends requests to a collector. Its timeout holds unless [`with_timeout`](Self::with_timeout) says otherwise.
    pub fn with_otlp(mut self, config: OtlpConfig) -> Self {
        self.otlp = Some(config);
        self
    }

    /// What `OTEL_EXPORTER_OTLP_*` and `OTEL_BSP_*` say: collector and batch.
    pub fn from_env(self) -> Self {
        self.with_otlp(OtlpConfig::from_env())
            .with_batch(BatchConfig::from_env())
    }

    /// What the spans are about.
    pub fn with_resource(mut self, resource: EncodedResource) -> Self {
        self.resource = Some(resource);
        self
    }

    /// How spans are gathered into requests.
    pub fn with_batch(mut self, batch: BatchConfig) -> Self {
        self.batch = batch;
        self
    }

    /// How long to wait before a request is sent again.
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// How long the delivery of one request may take, retries included. If
    /// [`BatchConfig::export_timeout`] is shorter, that holds.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// How long the drop of the last handle flushes, if there was no shutdown: 5 s.
    pub fn with_drop_timeout(mut self, timeout: Duration) -> Self {
        self.drop_timeout = timeout;
        self
    }

    /// Starts no worker: requests are sent by [`Pipeline::force_flush`] and [`Pipeline::shutdown`], on the thread that calls
    /// them, and never otherwise. For whoever has a thread of their own for it, such as the stock SDK's batch processor.
    ///
    /// A flush then gives up, for good, the request that it is sending when its time is over; and it waits for another that is
    /// under way.
    pub fn without_worker(mut self) -> Self {
        self.by_hand = true;
        self
    }

    /// Builds the pipeline. Its worker thread starts with the first span.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the setting that cannot be used, its value, and what is accepted.
    pub fn build(self) -> Result<Pipeline, ConfigError> {
        let timeout = match (&self.otlp, self.timeout) {
            (Some(otlp), None) => Some(otlp.timeout()),
            (_, timeout) => timeout,
        };
        let limits = self.batch.limits(timeout, self.drop_timeout)?;
        // Checked beside a transport, too: a setting that cannot be used is an error, used or not.
        let otlp = self.otlp.as_ref();
        let otlp = otlp
            .map(|otlp| otlp.connector(Signal::Traces))
            .transpose()?;
        let connect: Box<dyn Connect> = match (self.connect, otlp) {
            (Some(connect), _) => connect,
            (None, Some(otlp)) => Box::new(otlp),
            (None, None) => {
                return Err(ConfigError::new(
                    "transport",
                    "none",
                    "where spans go: `with_otlp(...)`, `from_env()` or `with_transport(...)`",
                ));
            }
        };
        self.retry.check()?;
        if let Err(error) = fork::watch() {
            tracing::warn!(
                name: "ForkUnwatched",
                error = %error,
                "a forked child cannot be detected and would export this process's spans again"
            );
        }
        Ok(Pipeline::from_core(Core::new(
            limits,
            Arc::new(Setup {
                connect,
                retry: self.retry,
                by_hand: self.by_hand,
                no_resource: EncodedResource::new(&[] as &[KeyValue], None),
                resource: self.resource.map_or_else(OnceLock::new, OnceLock::from),
            }),
        )))
    }
}

impl fmt::Debug for PipelineBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipelineBuilder")
            .field("batch", &self.batch)
            .field("retry", &self.retry)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
