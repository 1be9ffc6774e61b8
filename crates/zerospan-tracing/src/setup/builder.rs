use super::env::{Propagators, Settings};
use super::error::InitError;
use super::filter::Filter;
use super::guard::Guard;
use super::logs::LogsSetup;
use super::sdk::Resource;
use crate::layer;
use crate::state::events_to::EventsTo;
use crate::state::trace_layer::TraceLayer;
use std::fmt;
use tracing::Subscriber;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::Registry;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use zerospan_export::{Pipeline, PipelineBuilder};
use zerospan_logs::LoggerProviderBuilder;
use zerospan_trace::TracerProviderBuilder;
use zerospan_transport::ConfigError;
use zerospan_transport::env::{self, DeferredReports};

/// The filter without `RUST_LOG`.
const DEFAULT_FILTER: &str = "info";

/// Sets tracing up for a process. [`init`](Self::init) installs it.
#[must_use]
pub struct Builder {
    pipeline: PipelineBuilder,
    /// Takes the place of the pipeline that `pipeline` builds.
    exporter: Option<Pipeline>,
    is_exporting: bool,
    provider: TracerProviderBuilder,
    /// The resource that was set in code.
    resource: Option<Resource>,
    logs: Option<LogsSetup>,
    events: EventsTo,
    layer: Box<dyn FnOnce(TraceLayer) -> TraceLayer>,
    propagators: Option<Propagators>,
    env_filter: Option<String>,
    default_filter: String,
    /// Never without the feature `fmt`.
    is_printing: bool,
    /// Settings of the environment that cannot be used. They are logged when there is a subscriber to log to.
    ignored: DeferredReports,
}

impl Builder {
    /// Reads the environment:
    ///
    /// - the destination and the batches, as [`PipelineBuilder::from_env`] does: `OTEL_EXPORTER_OTLP_*` and `OTEL_BSP_*`
    /// - the spans, as [`TracerProviderBuilder::from_env`] does: `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`,
    ///   `OTEL_TRACES_SAMPLER`, the limits, and `OTEL_SDK_DISABLED`
    /// - `OTEL_TRACES_EXPORTER`: `otlp`, the default, or `none`, with which spans get ids and are not exported
    /// - `OTEL_PROPAGATORS`: `tracecontext` and `baggage`, both by default, or `none`
    /// - `RUST_LOG`: the spans and events that all layers see; `info` if it is not set
    ///
    /// A value that cannot be used is ignored, and logged once the subscriber is installed.
    pub fn from_env() -> Self {
        let ((settings, pipeline, provider), ignored) = env::deferred(|| {
            (
                env::from_process(Settings::read),
                PipelineBuilder::from_env(),
                TracerProviderBuilder::from_env(),
            )
        });
        Self {
            pipeline,
            exporter: None,
            is_exporting: settings.is_exporting,
            provider,
            resource: None,
            logs: None,
            events: EventsTo::default(),
            layer: Box::new(|layer| layer),
            propagators: settings.propagators,
            env_filter: settings.filter,
            default_filter: DEFAULT_FILTER.to_owned(),
            is_printing: false,
            ignored,
        }
    }

    /// Sets the resource of the spans and of the log records, over that of the environment.
    pub fn with_resource(mut self, resource: Resource) -> Self {
        self.resource = Some(resource.clone());
        self.map_provider(|provider| provider.with_resource(resource))
    }

    /// Sets logs up too, and where events are sent: to the logs, to their spans, or to both. Without this call, events are span
    /// events.
    ///
    /// Reads the environment:
    ///
    /// - the destination and the batches, as `PipelineBuilder::from_env_for(Signal::Logs)` does: `OTEL_EXPORTER_OTLP_*`, where those
    ///   of the logs have priority, and `OTEL_BLRP_*`
    /// - the records, as [`LoggerProviderBuilder::from_env`] does
    /// - `OTEL_LOGS_EXPORTER`: `otlp`, the default, or `none`
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use zerospan_tracing::EventsTo;
    ///
    /// fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///     let _guard = zerospan_tracing::builder().with_events(EventsTo::Logs).init()?;
    ///     tracing::info!(port = 8080, "listening");
    ///     Ok(())
    /// }
    /// ```
    pub fn with_events(mut self, events: EventsTo) -> Self {
        self.events = events;
        self.map_logs(|logs| logs)
    }

    /// Sends log records to `pipeline`, whatever destination the environment names. Sets logs up, as
    /// [`with_events`](Self::with_events) does.
    pub fn with_log_exporter(mut self, pipeline: Pipeline) -> Self {
        self.logs().exporter = Some(pipeline);
        self
    }

    /// Changes the pipeline of the logs that the environment describes. Sets logs up, as [`with_events`](Self::with_events) does.
    pub fn map_log_pipeline(
        mut self,
        change: impl FnOnce(PipelineBuilder) -> PipelineBuilder,
    ) -> Self {
        let logs = self.logs();
        logs.pipeline = change(std::mem::take(&mut logs.pipeline));
        self
    }

    /// Changes the logger provider that the environment describes: its limits, its processors. Sets logs up, as
    /// [`with_events`](Self::with_events) does.
    pub fn map_logs(
        mut self,
        change: impl FnOnce(LoggerProviderBuilder) -> LoggerProviderBuilder,
    ) -> Self {
        let logs = self.logs();
        logs.provider = change(std::mem::take(&mut logs.provider));
        self
    }

    /// Returns the set-up of the logs. The first call reads the environment.
    fn logs(&mut self) -> &mut LogsSetup {
        let ignored = &mut self.ignored;
        self.logs.get_or_insert_with(|| {
            let (logs, unusable) = LogsSetup::from_env();
            ignored.append(unusable);
            logs
        })
    }

    /// Sends spans to `pipeline`, whatever destination the environment names.
    pub fn with_exporter(mut self, pipeline: Pipeline) -> Self {
        self.exporter = Some(pipeline);
        self
    }

    /// Changes the pipeline that [`from_env`](Self::from_env) prepared: its batches, its retries, its destination.
    pub fn map_pipeline(mut self, change: impl FnOnce(PipelineBuilder) -> PipelineBuilder) -> Self {
        self.pipeline = change(self.pipeline);
        self
    }

    /// Changes the provider that [`from_env`](Self::from_env) prepared: its sampler, its limits, its processors.
    pub fn map_provider(
        mut self,
        change: impl FnOnce(TracerProviderBuilder) -> TracerProviderBuilder,
    ) -> Self {
        self.provider = change(self.provider);
        self
    }

    /// Changes the layer: its attributes, its scope.
    pub fn map_layer(mut self, change: impl FnOnce(TraceLayer) -> TraceLayer + 'static) -> Self {
        let before = self.layer;
        self.layer = Box::new(|layer| change(before(layer)));
        self
    }

    /// Sets the filter for when `RUST_LOG` is not set: directives such as `info,hyper=warn`, with targets and levels. The
    /// default is `info`.
    pub fn with_default_filter(mut self, directives: impl Into<String>) -> Self {
        self.default_filter = directives.into();
        self
    }

    /// Also prints events to the standard output, as `tracing_subscriber::fmt::layer()` does.
    ///
    /// Then an export that fails is seen where the process prints. For another format, use [`init_with`](Self::init_with).
    #[cfg(feature = "fmt")]
    pub fn with_fmt(mut self) -> Self {
        self.is_printing = true;
        self
    }

    /// Builds the layer, and the providers that export its spans and its log records, without installing anything for the process.
    ///
    /// # Errors
    ///
    /// [`InitError::Setting`] if a setting cannot be used.
    pub fn build(self) -> Result<(TraceLayer, Guard), InitError> {
        let mut provider = self.provider;
        if let Some(pipeline) = self.exporter {
            provider = provider.with_exporter(pipeline);
        } else if self.is_exporting {
            provider = provider.with_exporter(self.pipeline.build()?);
        }
        let logs = match self.logs {
            Some(logs) => Some(logs.build(self.resource)?),
            None => None,
        };
        let provider = provider.build();
        let mut layer = (self.layer)(layer::layer(&provider));
        if let Some(logs) = &logs {
            layer = layer.with_logs(logs).with_events(self.events);
        }
        Ok((layer, Guard::new(provider, logs)))
    }

    /// Installs for the process: a subscriber with the filter, the layer, and that of [`with_fmt`](Self::with_fmt); the
    /// propagators; and the provider as OpenTelemetry's global one, so that spans of its API are part of the same traces.
    ///
    /// # Errors
    ///
    /// [`InitError`] if a subscriber is installed already, or a setting cannot be used. Then nothing is installed.
    pub fn init(mut self) -> Result<Guard, InitError> {
        let filter = self.filter()?;
        let is_printing = self.is_printing;
        self.install(|layer| match filter {
            Filter::Targets(filter) => subscribe(filter, layer, is_printing),
            #[cfg(feature = "env-filter")]
            Filter::Spans(filter) => subscribe(*filter, layer, is_printing),
        })
    }

    /// Like [`init`](Self::init), with the subscriber that `compose` makes of the layer: with other layers, and filters of your
    /// own in place of `RUST_LOG`.
    ///
    /// # Errors
    ///
    /// [`InitError`] if a subscriber is installed already, or a setting cannot be used. Then nothing is installed.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use tracing_subscriber::filter::LevelFilter;
    /// use tracing_subscriber::layer::{Layer, SubscriberExt};
    ///
    /// # fn main() -> Result<(), zerospan_tracing::InitError> {
    /// let _guard = zerospan_tracing::builder().init_with(|layer| {
    ///     tracing_subscriber::registry().with(layer.with_filter(LevelFilter::INFO))
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn init_with<S>(self, compose: impl FnOnce(TraceLayer) -> S) -> Result<Guard, InitError>
    where
        S: Subscriber + Send + Sync + 'static,
    {
        self.install(|layer| compose(layer).try_init())
    }

    fn install(
        mut self,
        subscribe: impl FnOnce(TraceLayer) -> Result<(), TryInitError>,
    ) -> Result<Guard, InitError> {
        let ignored = std::mem::take(&mut self.ignored);
        let propagators = self.propagators;
        let (layer, guard) = self.build()?;
        subscribe(layer).map_err(InitError::AlreadyInstalled)?;
        if let Some(propagators) = propagators {
            propagators.install();
        }
        opentelemetry::global::set_tracer_provider(guard.provider().clone());
        ignored.log();
        Ok(guard)
    }

    /// Returns the filter of `RUST_LOG`, or the default if that is not set or cannot be used.
    fn filter(&mut self) -> Result<Filter, ConfigError> {
        match self.env_filter.take().map(|text| Filter::parse(&text)) {
            Some(Ok(filter)) => return Ok(filter),
            Some(Err(error)) => self.ignored.push(error),
            None => {}
        }
        Filter::parse(&self.default_filter).map_err(|error| {
            ConfigError::new("the default filter", error.value(), error.accepted())
        })
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("pipeline", &self.pipeline)
            .field("provider", &self.provider)
            .field("logs", &self.logs)
            .field("events", &self.events)
            .field("propagators", &self.propagators)
            .field("filter", &self.env_filter)
            .finish_non_exhaustive()
    }
}

fn subscribe<F>(filter: F, layer: TraceLayer, is_printing: bool) -> Result<(), TryInitError>
where
    F: Layer<Registry> + Send + Sync,
{
    let subscriber = tracing_subscriber::registry().with(filter).with(layer);
    #[cfg(feature = "fmt")]
    let subscriber = subscriber.with(is_printing.then(tracing_subscriber::fmt::layer));
    #[cfg(not(feature = "fmt"))]
    let _ = is_printing;
    subscriber.try_init()
}
