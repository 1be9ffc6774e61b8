use super::LoggerProvider;
use super::env::EnvConfig;
use crate::processor::Processor;
use crate::sdk::{LogProcessor, Resource, SdkProcessor};
use crate::state::{LogSink, ProviderConfig};
use std::fmt;
use zerospan_core::fork;
use zerospan_core::log::{self, LogLimit};
use zerospan_export::Pipeline;
use zerospan_otlp::LogRecordLimits;
use zerospan_trace::Clock;
use zerospan_trace::shared::{self, EnvResource, build_resource, merge_resources};
use zerospan_transport::{ConfigError, Signal, env};

/// Builds a [`LoggerProvider`].
///
/// [`LoggerProvider::builder`] starts from the specification's defaults, [`from_env`](Self::from_env) from the environment.
#[derive(Default)]
#[must_use]
pub struct LoggerProviderBuilder {
    clock: Clock,
    resource: Option<Resource>,
    /// The resource of the environment, which `resource` overrides.
    env_resource: EnvResource,
    sinks: Vec<LogSink>,
    limits: LogRecordLimits,
    is_disabled: bool,
}

impl LoggerProvider {
    /// Returns a builder with the specification's defaults. It does not read the environment: see
    /// [`LoggerProviderBuilder::from_env`].
    pub fn builder() -> LoggerProviderBuilder {
        LoggerProviderBuilder::default()
    }
}

/// Builds a provider with the defaults of [`LoggerProvider::builder`], which exports nothing.
impl Default for LoggerProvider {
    fn default() -> Self {
        Self::builder().build()
    }
}

impl LoggerProviderBuilder {
    /// Reads the environment: `OTEL_SDK_DISABLED`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_SERVICE_NAME`,
    /// `OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT` and `_VALUE_LENGTH_LIMIT`, and where those are not set `OTEL_ATTRIBUTE_COUNT_LIMIT` and
    /// `_VALUE_LENGTH_LIMIT`.
    ///
    /// A value that cannot be used is logged once as `SettingIgnored`, and ignored.
    pub fn from_env() -> Self {
        Self::from_config(env::from_process(EnvConfig::read))
    }

    /// Like [`from_env`](Self::from_env), with the variables that `lookup` finds. Returns the values that cannot be used
    /// instead of logging them.
    pub fn from_vars(lookup: impl Fn(&str) -> Option<String>) -> (Self, Vec<ConfigError>) {
        let (config, ignored) = env::from_vars(lookup, EnvConfig::read);
        (Self::from_config(config), ignored)
    }

    fn from_config(config: EnvConfig) -> Self {
        Self {
            limits: config.limits,
            is_disabled: config.is_disabled,
            env_resource: config.resource,
            ..Self::default()
        }
    }

    /// Sends log records to `pipeline`. With several pipelines, each gets every record.
    ///
    /// A pipeline of another signal is left out, and logged as `PipelineOfOtherSignal`: build it with
    /// `PipelineBuilder::from_env_for(Signal::Logs)` or `with_signal(Signal::Logs)`.
    pub fn with_exporter(mut self, pipeline: Pipeline) -> Self {
        if pipeline.signal() == Signal::Logs {
            self.sinks.push(LogSink::Pipeline(pipeline));
        } else {
            warn_signal(pipeline.signal());
        }
        self
    }

    /// Calls `processor` for every record, after the processors and exporters that were added before.
    pub fn with_processor(mut self, processor: impl Processor + 'static) -> Self {
        self.sinks.push(LogSink::Processor(Box::new(processor)));
        self
    }

    /// Calls a processor of the official SDK, which allocates for each record: see [`SdkProcessor`].
    pub fn with_log_processor(self, processor: impl LogProcessor + 'static) -> Self {
        self.with_processor(SdkProcessor::new(processor))
    }

    /// Sets the maximum number of attributes of a record. The default is 128.
    pub fn with_max_attributes_per_record(mut self, max: u32) -> Self {
        self.limits.max_attributes = max;
        self
    }

    /// Cuts string values of attributes, those in arrays and maps too, after `max` characters, and bytes after `max` bytes. `None`,
    /// the default, cuts none. The body is not cut.
    pub fn with_max_attribute_value_length(mut self, max: Option<u32>) -> Self {
        self.limits.max_attribute_value_length = max;
        self
    }

    /// Keeps every value of a key that is set repeatedly, as the official SDK does. The default is to keep the last value, as the
    /// specification asks.
    pub fn with_repeated_keys(mut self, keep: bool) -> Self {
        self.limits.keep_repeated_keys = keep;
        self
    }

    /// Sets the resource of the records. A second call merges its resource over the first.
    ///
    /// The resource is merged over the environment's, if that is read, and over the service name `unknown_service:NAME`.
    /// `telemetry.sdk.*` name this project in any case.
    ///
    /// A pipeline that has a resource keeps it: that of its builder, or of another provider that it was added to before. The
    /// processors get this one, and the difference is logged as `ResourceIgnored`.
    pub fn with_resource(mut self, resource: Resource) -> Self {
        self.resource = Some(match self.resource.take() {
            Some(before) => merge_resources(&before, &resource),
            None => resource,
        });
        self
    }

    /// Sets the clock of the observed time. The default is [`Clock::counter`].
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Builds the provider.
    ///
    /// If the environment set `OTEL_SDK_DISABLED=true`, its loggers take no records.
    pub fn build(mut self) -> LoggerProvider {
        // A pipeline logs why forks cannot be watched.
        let _ = fork::watch();
        let resource = build_resource(&self.env_resource, self.resource.as_ref());
        let is_set = shared::set_resource(&mut self.sinks, &resource);
        // A pipeline's resource without one of the provider is what the user wants.
        if !is_set && self.resource.is_some() {
            warn_resource_ignored();
        }
        let provider = LoggerProvider::new(ProviderConfig {
            clock: self.clock,
            sinks: self.sinks,
            resource,
            limits: self.limits,
            is_disabled: self.is_disabled,
        });
        log::settle();
        provider
    }
}

impl fmt::Debug for LoggerProviderBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoggerProviderBuilder")
            .field("clock", &self.clock)
            .field("sinks", &self.sinks.len())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

fn warn_resource_ignored() {
    static WARNING: LogLimit = LogLimit::new();
    WARNING.log(move |skipped| {
        tracing::warn!(
            name: "ResourceIgnored",
            skipped,
            "a pipeline keeps the resource that it has already, so its log records lack the provider's: set the resource in \
             the pipeline's builder or in the provider's, not in both, and give each provider its own pipeline"
        );
    });
}

fn warn_signal(signal: Signal) {
    static WARNING: LogLimit = LogLimit::new();
    WARNING.log(move |skipped| {
        tracing::error!(
            name: "PipelineOfOtherSignal",
            skipped,
            signal = signal.name(),
            "a logger provider got a pipeline of another signal, and exports nothing to it: build the pipeline with \
             `PipelineBuilder::from_env_for(Signal::Logs)` or `with_signal(Signal::Logs)`"
        );
    });
}
