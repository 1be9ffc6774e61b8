use super::Pipeline;
use crate::base::batch_config::BatchConfig;
use crate::base::config::PipelineConfig;
use crate::base::retry_policy::RetryPolicy;
use crate::queue::inner::PipelineInner;
use crate::worker::thread;
use opentelemetry::KeyValue;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use zerospan_core::fork::{self, ProcessOwned};
use zerospan_core::log::LogLimit;
use zerospan_core::sync::OnceBox;
use zerospan_otlp::EncodedResource;
use zerospan_transport::{ConfigError, Connect, OtlpConfig, Protocol, Signal};

/// Builds a [`Pipeline`].
///
/// [`Pipeline::builder`] starts from the specification's defaults for traces, [`from_env`](Self::from_env) from the
/// environment.
#[must_use]
pub struct PipelineBuilder {
    signal: Signal,
    connect: Option<Box<dyn Connect>>,
    otlp: Option<OtlpConfig>,
    resource: Option<EncodedResource>,
    batch: Option<BatchConfig>,
    retry: RetryPolicy,
    timeout: Option<Duration>,
    drop_timeout: Duration,
    inline: bool,
}

impl Default for PipelineBuilder {
    fn default() -> Self {
        Self {
            signal: Signal::Traces,
            connect: None,
            otlp: None,
            resource: None,
            batch: None,
            retry: RetryPolicy::default(),
            timeout: None,
            drop_timeout: Duration::from_secs(5),
            inline: false,
        }
    }
}

impl Pipeline {
    /// Starts building a pipeline from the specification's defaults for traces. The environment is not read.
    pub fn builder() -> PipelineBuilder {
        PipelineBuilder::default()
    }
}

impl PipelineBuilder {
    /// Reads the environment for traces: [`OtlpConfig::from_env`] and [`BatchConfig::from_env`].
    ///
    /// A value that cannot be used is logged once, through `tracing`, and ignored.
    pub fn from_env() -> Self {
        Self::from_env_for(Signal::Traces)
    }

    /// Like [`from_env`](Self::from_env), for `signal`.
    pub fn from_env_for(signal: Signal) -> Self {
        Self::default()
            .with_signal(signal)
            .with_otlp(OtlpConfig::from_env_for(signal))
            .with_batch(BatchConfig::from_env_for(signal))
    }

    /// Like [`from_env`](Self::from_env), with the variables that `lookup` finds. Also returns what was ignored.
    pub fn from_vars(lookup: impl Fn(&str) -> Option<String>) -> (Self, Vec<ConfigError>) {
        Self::from_vars_for(Signal::Traces, lookup)
    }

    /// Like [`from_vars`](Self::from_vars), for `signal`.
    pub fn from_vars_for(
        signal: Signal,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> (Self, Vec<ConfigError>) {
        let (otlp, mut ignored) = OtlpConfig::from_vars_for(signal, &lookup);
        let (batch, ignored_of_batch) = BatchConfig::from_vars_for(signal, &lookup);
        ignored.extend(ignored_of_batch);
        let builder = Self::default().with_signal(signal);
        (builder.with_otlp(otlp).with_batch(batch), ignored)
    }

    /// Sets the signal whose items the pipeline takes: traces by default.
    ///
    /// It determines where requests are sent, and the batch unless [`with_batch`](Self::with_batch) sets it.
    pub fn with_signal(mut self, signal: Signal) -> Self {
        self.signal = signal;
        self
    }

    /// Sends requests through the transport that `connect` makes.
    pub fn with_transport(mut self, connect: impl Connect + 'static) -> Self {
        self.connect = Some(Box::new(connect));
        self
    }

    /// Sends requests to a collector. Its timeout applies unless [`with_timeout`](Self::with_timeout) sets another.
    pub fn with_otlp(mut self, config: OtlpConfig) -> Self {
        self.otlp = Some(config);
        self
    }

    /// Sets the resource that the items belong to.
    pub fn with_resource(mut self, resource: EncodedResource) -> Self {
        self.resource = Some(resource);
        self
    }

    /// Sets how items are gathered into requests.
    pub fn with_batch(mut self, batch: BatchConfig) -> Self {
        self.batch = Some(batch);
        self
    }

    /// Sets the waits between the attempts to send a request.
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Sets the longest time for the delivery of one request, retries included. A shorter
    /// [`BatchConfig::export_timeout`] applies as well.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets the longest time for the flush when the last handle is dropped without a shutdown: 5 s by default.
    pub fn with_drop_timeout(mut self, timeout: Duration) -> Self {
        self.drop_timeout = timeout;
        self
    }

    /// Builds a pipeline without a worker thread: only [`Pipeline::force_flush`] and [`Pipeline::shutdown`] send requests, on
    /// the thread that calls them. For callers with a thread for it, such as the official SDK's batch processor.
    ///
    /// A flush then drops the request that it is sending when its timeout passes. Flushes run one after the other.
    ///
    /// While it sends, the family's own tracers record nothing on that thread. Telemetry of the official SDK is suppressed
    /// only if the caller enters [`Context::enter_telemetry_suppressed_scope`], as the batch processor's thread does: the
    /// context is the caller's, and may be borrowed.
    ///
    /// [`Context::enter_telemetry_suppressed_scope`]: opentelemetry::Context::enter_telemetry_suppressed_scope
    pub fn without_worker(mut self) -> Self {
        self.inline = true;
        self
    }

    /// Builds the pipeline. Its worker thread starts with the first item.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the setting that cannot be used, its value, and what is accepted.
    pub fn build(self) -> Result<Pipeline, ConfigError> {
        let timeout = match (&self.otlp, self.timeout) {
            (Some(otlp), None) => Some(otlp.timeout()),
            (_, timeout) => timeout,
        };
        let batch = self
            .batch
            .unwrap_or_else(|| BatchConfig::for_signal(self.signal));
        let limits = batch.limits(timeout, self.drop_timeout)?;
        // Checked even if a transport replaces it: a setting that cannot be used is an error. A build without protocols always
        // needs a transport in its place.
        let has_protocol = Protocol::HttpProtobuf.is_built() || Protocol::Grpc.is_built();
        let is_checked = has_protocol || self.connect.is_none();
        let otlp = self.otlp.as_ref().filter(|_| is_checked);
        let otlp = otlp.map(|otlp| otlp.connector(self.signal)).transpose()?;
        let connect: Box<dyn Connect> = match (self.connect, otlp) {
            (Some(connect), _) => connect,
            (None, Some(otlp)) => Box::new(otlp),
            (None, None) => {
                return Err(ConfigError::new(
                    "transport",
                    "none",
                    "a destination: `from_env()`, `with_otlp(...)` or `with_transport(...)`",
                ));
            }
        };
        self.retry.check()?;
        watch_forks();
        let config = PipelineConfig {
            signal: self.signal,
            connect: ProcessOwned::new(connect),
            retry: self.retry,
            inline: self.inline,
            resource: self.resource.map_or_else(OnceBox::new, OnceBox::from),
            empty_resource: EncodedResource::new(&[] as &[KeyValue], None),
        };
        let inner = PipelineInner::new(limits, Arc::new(config), thread::spawn);
        Ok(Pipeline::from_inner(inner))
    }
}

impl fmt::Debug for PipelineBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipelineBuilder")
            .field("signal", &self.signal)
            .field("batch", &self.batch)
            .field("retry", &self.retry)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

fn watch_forks() {
    if let Err(error) = fork::watch() {
        static WARNING: LogLimit = LogLimit::new();
        WARNING.log(move |_| {
            tracing::warn!(
                name: "ForkUnwatched",
                error = %error,
                "a forked child will not start with an empty pipeline: pthread_atfork failed"
            );
        });
    }
}
