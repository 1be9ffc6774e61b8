use crate::core::{Core, Parts, Stage};
use crate::environment::{self, Environment};
use crate::ids::Ids;
use crate::resource;
use crate::slot::{SlotRecycle, Slots};
use crate::{Clock, Processor, Sampler, SdkProcessor, TracerProvider};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{self as sdk, IdGenerator, SpanProcessor};
use std::fmt;
use zerospan_export::{EncodedResource, Pipeline};
use zerospan_otlp::SpanLimits;

/// Sets a [`TracerProvider`] up.
///
/// What is not said here comes from the environment's variables, and then from the specification's defaults.
#[must_use]
pub struct TracerProviderBuilder {
    sampler: Option<Sampler>,
    ids: Ids,
    clock: Clock,
    resource: Option<Resource>,
    stages: Vec<Stage>,
    /// What is changed of the limits that the environment gives, in order.
    limits: Vec<Change>,
    idle_slots: usize,
    slot_bytes: usize,
    variables: Variables,
}

type Change = Box<dyn FnOnce(&mut SpanLimits) + Send>;
type Variables = Box<dyn Fn(&str) -> Option<String> + Send>;

impl Default for TracerProviderBuilder {
    fn default() -> Self {
        Self {
            sampler: None,
            ids: Ids::default(),
            clock: Clock::default(),
            resource: None,
            stages: Vec::new(),
            limits: Vec::new(),
            idle_slots: 1024,
            slot_bytes: 16 << 10,
            variables: Box::new(environment::of_process),
        }
    }
}

impl TracerProviderBuilder {
    /// Sends sampled spans that ended through `pipeline`. Several are possible: each gets every span.
    pub fn with_exporter(mut self, pipeline: Pipeline) -> Self {
        self.stages.push(Stage::Pipeline(pipeline));
        self
    }

    /// Tells `processor` of every recorded span, behind those that were added before.
    ///
    /// With a processor, each span is encoded into a buffer of its own first, where the processor looks at it, and copied to
    /// the exporters from there.
    pub fn with_processor(mut self, processor: impl Processor + 'static) -> Self {
        self.stages.push(Stage::Processor(Box::new(processor)));
        self
    }

    /// Feeds a processor of the stock SDK, which allocates for each span: see [`SdkProcessor`].
    pub fn with_span_processor(self, processor: impl SpanProcessor + 'static) -> Self {
        self.with_processor(SdkProcessor::new(processor))
    }

    /// Asks `sampler` which spans are recorded: one of ours, of the SDK's, or of yours.
    pub fn with_sampler(mut self, sampler: impl Into<Sampler>) -> Self {
        self.sampler = Some(sampler.into());
        self
    }

    /// Takes ids from `generator`. Where it gives an invalid id, a random one is taken.
    pub fn with_id_generator(mut self, generator: impl IdGenerator + 'static) -> Self {
        self.ids = Ids::Custom(Box::new(generator));
        self
    }

    /// Limits what a span holds. The limit to the length of values stays what it was.
    pub fn with_span_limits(self, limits: sdk::SpanLimits) -> Self {
        self.limit(move |all| {
            all.max_attributes_per_span = limits.max_attributes_per_span;
            all.max_events_per_span = limits.max_events_per_span;
            all.max_links_per_span = limits.max_links_per_span;
            all.max_attributes_per_event = limits.max_attributes_per_event;
            all.max_attributes_per_link = limits.max_attributes_per_link;
        })
    }

    /// How many attributes a span holds at most.
    pub fn with_max_attributes_per_span(self, most: u32) -> Self {
        self.limit(move |limits| limits.max_attributes_per_span = most)
    }

    /// How many events a span holds at most.
    pub fn with_max_events_per_span(self, most: u32) -> Self {
        self.limit(move |limits| limits.max_events_per_span = most)
    }

    /// How many links a span holds at most.
    pub fn with_max_links_per_span(self, most: u32) -> Self {
        self.limit(move |limits| limits.max_links_per_span = most)
    }

    /// How many attributes an event holds at most.
    pub fn with_max_attributes_per_event(self, most: u32) -> Self {
        self.limit(move |limits| limits.max_attributes_per_event = most)
    }

    /// How many attributes a link holds at most.
    pub fn with_max_attributes_per_link(self, most: u32) -> Self {
        self.limit(move |limits| limits.max_attributes_per_link = most)
    }

    /// After how many characters string values are cut, those in arrays too; `None` for no limit.
    pub fn with_attribute_value_length_limit(self, most: Option<u32>) -> Self {
        self.limit(move |limits| limits.max_attribute_value_length = most)
    }

    /// Whether a span, an event or a link keeps every value of a key that is set again, as the stock SDK does. Otherwise the last
    /// value is kept, as the specification asks; that costs next to nothing.
    pub fn with_repeated_keys(self, repeated: bool) -> Self {
        self.limit(move |limits| limits.keep_repeated_keys = repeated)
    }

    fn limit(mut self, change: impl FnOnce(&mut SpanLimits) + Send + 'static) -> Self {
        self.limits.push(Box::new(change));
        self
    }

    /// Says what the spans are about.
    ///
    /// It is merged over what `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME` say, and over `unknown_service:NAME`;
    /// `telemetry.sdk.*` name this project. A second call is merged over the first.
    ///
    /// A pipeline that has a resource keeps it: its builder's, or that of another provider that it was given to before. The
    /// processors get this one, and the log says so as `ResourceIgnored`.
    pub fn with_resource(mut self, resource: Resource) -> Self {
        self.resource = Some(match self.resource.take() {
            Some(before) => resource::merged(&before, &resource),
            None => resource,
        });
        self
    }

    /// Takes the time from `clock`.
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// How many slots of ended spans are kept for later ones, all threads together, beside the one that each thread has at
    /// hand: 1024 unless it is said. With 0 none is kept at all.
    ///
    /// More spans may be open at a time: their slots are then allocated, and freed when they end.
    pub fn with_max_idle_slots(mut self, most: usize) -> Self {
        self.idle_slots = most;
        self
    }

    /// How many bytes of heap memory a slot of an ended span may retain: 16 KiB unless it is said. A slot that grew beyond
    /// is freed when its span ends.
    pub fn with_slot_retention_limit(mut self, bytes: usize) -> Self {
        self.slot_bytes = bytes;
        self
    }

    /// Reads the environment's variables through `read`: for tests, and for settings that come from elsewhere.
    pub fn with_variables(
        mut self,
        read: impl Fn(&str) -> Option<String> + Send + 'static,
    ) -> Self {
        self.variables = Box::new(read);
        self
    }

    /// Builds the provider. A variable that cannot be used is reported, and ignored.
    ///
    /// With `OTEL_SDK_DISABLED=true` its tracers make no-op spans, which carry their parent's context on: the trace goes on
    /// behind this service.
    pub fn build(self) -> TracerProvider {
        let environment = Environment::new(&*self.variables);
        let mut limits = environment.limits();
        for change in self.limits {
            change(&mut limits);
        }
        let is_given = self.resource.is_some();
        let resource = resource::resource(&environment, self.resource);
        let mut stages = self.stages;
        for stage in &mut stages {
            match stage {
                Stage::Processor(processor) => processor.set_resource(&resource),
                Stage::Pipeline(pipeline) => {
                    let is_set = pipeline.set_resource(EncodedResource::from_sdk(&resource));
                    // Who gave the pipeline a resource and the provider none knows which one holds.
                    if !is_set && is_given {
                        tracing::warn!(
                            name: "ResourceIgnored",
                            "a pipeline has a resource already, and keeps it: its spans do not have the provider's; give \
                             the resource to the pipeline's builder or to the provider's, not to both, and each provider \
                             a pipeline of its own"
                        );
                    }
                }
            }
        }
        let slots = Slots::with_recycle(self.idle_slots, SlotRecycle { limits })
            .with_retention_limit(self.slot_bytes);
        TracerProvider::from_core(Core::new(Parts {
            sampler: self
                .sampler
                .or_else(|| environment.sampler())
                .unwrap_or_default(),
            ids: self.ids,
            clock: self.clock,
            slots,
            slot_bytes: self.slot_bytes,
            stages,
            resource,
            disabled: environment.is_disabled(),
        }))
    }
}

impl fmt::Debug for TracerProviderBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TracerProviderBuilder")
            .field("sampler", &self.sampler)
            .field("clock", &self.clock)
            .field("stages", &self.stages.len())
            .finish_non_exhaustive()
    }
}
