use super::TracerProvider;
use super::env::EnvConfig;
use crate::base::clock::Clock;
use crate::base::env::EnvResource;
use crate::base::ids::IdSource;
use crate::sampler::{IntoSampler, Sampler};
use crate::sdk::{self, IdGenerator, Resource, SdkProcessor, SdkSpanLimits, SpanProcessor};
use crate::sink;
use crate::slot::{SlotLimits, SlotRecycle};
use crate::span::{Processor, ProviderConfig, SpanSink};
use std::fmt;
use zerospan_core::log::{self, LogLimit};
use zerospan_export::Pipeline;
use zerospan_otlp::SpanLimits;
use zerospan_transport::{ConfigError, env};

/// Builds a [`TracerProvider`].
///
/// [`TracerProvider::builder`] starts from the specification's defaults, [`from_env`](Self::from_env) from the environment.
#[derive(Default)]
#[must_use]
pub struct TracerProviderBuilder {
    sampler: Sampler,
    ids: IdSource,
    clock: Clock,
    resource: Option<Resource>,
    /// The resource of the environment, which `resource` overrides.
    env_resource: EnvResource,
    sinks: Vec<SpanSink>,
    limits: SpanLimits,
    slot_limits: SlotLimits,
    is_disabled: bool,
}

impl TracerProvider {
    /// Returns a builder with the specification's defaults. It does not read the environment: see
    /// [`TracerProviderBuilder::from_env`].
    pub fn builder() -> TracerProviderBuilder {
        TracerProviderBuilder::default()
    }
}

/// Builds a provider with the defaults of [`TracerProvider::builder`], which exports nothing.
impl Default for TracerProvider {
    fn default() -> Self {
        Self::builder().build()
    }
}

impl TracerProviderBuilder {
    /// Reads the environment: `OTEL_SDK_DISABLED`, `OTEL_TRACES_SAMPLER` and `_ARG`, `OTEL_RESOURCE_ATTRIBUTES`,
    /// `OTEL_SERVICE_NAME`, and the variables of the span limits.
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
        let mut limits = SpanLimits::default();
        config.limits.apply_to(&mut limits);
        Self {
            sampler: config.sampler.unwrap_or_default(),
            limits,
            is_disabled: config.is_disabled,
            env_resource: config.resource,
            ..Self::default()
        }
    }

    /// Sends sampled spans that have ended to `pipeline`. With several pipelines, each gets every span.
    pub fn with_exporter(mut self, pipeline: Pipeline) -> Self {
        self.sinks.push(SpanSink::Pipeline(pipeline));
        self
    }

    /// Calls `processor` for every recorded span, after those that were added before.
    ///
    /// With a processor, each span is encoded into a buffer first, which the processor can read, and copied from there to the
    /// exporters.
    pub fn with_processor(mut self, processor: impl Processor + 'static) -> Self {
        self.sinks.push(SpanSink::Processor(Box::new(processor)));
        self
    }

    /// Calls a processor of the official SDK, which allocates for each span: see [`SdkProcessor`].
    pub fn with_span_processor(self, processor: impl SpanProcessor + 'static) -> Self {
        self.with_processor(SdkProcessor::new(processor))
    }

    /// Sets the sampler: one of this crate, of the official SDK, or your own. The default is parent-based, with every root
    /// sampled.
    pub fn with_sampler<K>(mut self, sampler: impl IntoSampler<K>) -> Self {
        self.sampler = sampler.into_sampler();
        self
    }

    /// Sets the generator of ids. Invalid ids that it returns are replaced by random ones.
    pub fn with_id_generator(mut self, generator: impl IdGenerator + 'static) -> Self {
        self.ids = IdSource::Custom(Box::new(generator));
        self
    }

    /// Sets the limits that the SDK's `SpanLimits` has: all but the length of values.
    pub fn with_span_limits(mut self, limits: SdkSpanLimits) -> Self {
        sdk::apply_limits(&limits, &mut self.limits);
        self
    }

    /// Sets the maximum number of attributes of a span. The default is 128.
    pub fn with_max_attributes_per_span(mut self, max: u32) -> Self {
        self.limits.max_attributes_per_span = max;
        self
    }

    /// Sets the maximum number of events of a span. The default is 128.
    pub fn with_max_events_per_span(mut self, max: u32) -> Self {
        self.limits.max_events_per_span = max;
        self
    }

    /// Sets the maximum number of links of a span. The default is 128.
    pub fn with_max_links_per_span(mut self, max: u32) -> Self {
        self.limits.max_links_per_span = max;
        self
    }

    /// Sets the maximum number of attributes of an event. The default is 128.
    pub fn with_max_attributes_per_event(mut self, max: u32) -> Self {
        self.limits.max_attributes_per_event = max;
        self
    }

    /// Sets the maximum number of attributes of a link. The default is 128.
    pub fn with_max_attributes_per_link(mut self, max: u32) -> Self {
        self.limits.max_attributes_per_link = max;
        self
    }

    /// Cuts string values, those in arrays too, after `max` characters. `None`, the default, cuts none.
    pub fn with_max_attribute_value_length(mut self, max: Option<u32>) -> Self {
        self.limits.max_attribute_value_length = max;
        self
    }

    /// Keeps every value of a key that is set repeatedly on a span, an event or a link, as the official SDK does. The default
    /// is to keep the last value, as the specification asks, which takes next to no time.
    pub fn with_repeated_keys(mut self, keep: bool) -> Self {
        self.limits.keep_repeated_keys = keep;
        self
    }

    /// Sets the resource of the spans. A second call merges its resource over the first.
    ///
    /// The resource is merged over the environment's, if that is read, and over the service name `unknown_service:NAME`.
    /// `telemetry.sdk.*` name this project in any case.
    ///
    /// A pipeline that has a resource keeps it: that of its builder, or of another provider that it was added to before. The
    /// processors get this one, and the difference is logged as `ResourceIgnored`.
    pub fn with_resource(mut self, resource: Resource) -> Self {
        self.resource = Some(match self.resource.take() {
            Some(before) => sdk::merge_resources(&before, &resource),
            None => resource,
        });
        self
    }

    /// Sets the clock. The default is [`Clock::counter`].
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Sets the maximum memory of ended spans that is kept for later ones, in bytes, in addition to the slot that each thread
    /// keeps at hand. The default is 16 MiB, enough for 10,000 spans of a dozen attributes. With 0, none is kept at all.
    ///
    /// The exporter's worker frees slots that were idle for 10 to 20 seconds; without an exporter, a flush does. More
    /// spans may be open at a time: their slots are then allocated, and freed when they end.
    ///
    /// A slot that has grown beyond 16 KiB keeps its memory as long as spans need it, up to a sixteenth of the maximum. What all
    /// slots keep beyond 16 KiB counts towards the maximum while they are in use, too.
    pub fn with_max_idle_bytes(mut self, bytes: usize) -> Self {
        self.slot_limits.max_idle_bytes = bytes;
        self
    }

    /// Builds the provider.
    ///
    /// If the environment set `OTEL_SDK_DISABLED=true`, its tracers start no-op spans that carry their parent's context on, so
    /// that the trace continues after this service.
    pub fn build(mut self) -> TracerProvider {
        let resource = sdk::build_resource(&self.env_resource, self.resource.as_ref());
        let is_set = sink::set_resource(&mut self.sinks, &resource);
        // A pipeline's resource without one of the provider is what the user wants.
        if !is_set && self.resource.is_some() {
            warn_resource_ignored();
        }
        let provider = TracerProvider::new(ProviderConfig {
            sampler: self.sampler,
            ids: self.ids,
            clock: self.clock,
            limits: self.limits,
            slot_recycle: SlotRecycle {
                limits: self.limits,
            },
            slot_limits: self.slot_limits,
            sinks: self.sinks,
            resource,
            is_disabled: self.is_disabled,
        });
        log::settle();
        provider
    }
}

impl fmt::Debug for TracerProviderBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TracerProviderBuilder")
            .field("sampler", &self.sampler)
            .field("clock", &self.clock)
            .field("sinks", &self.sinks.len())
            .finish_non_exhaustive()
    }
}

fn warn_resource_ignored() {
    static WARNING: LogLimit = LogLimit::new();
    WARNING.log(move |skipped| {
        tracing::warn!(
            name: "ResourceIgnored",
            skipped,
            "a pipeline keeps the resource that it has already, so its spans lack the provider's: set the resource in the \
             pipeline's builder or in the provider's, not in both, and give each provider its own pipeline"
        );
    });
}
