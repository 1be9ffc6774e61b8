//! The layer: its builder and its hooks.

mod events;
mod hooks;
mod kept;
mod start;

use crate::handle::{LayerHandle, scope};
use crate::state::dispatch;
use crate::state::events_to::EventsTo;
use crate::state::inner::{DEFAULT_MAX_SPANS, LayerInner};
use crate::state::logs::Logs;
use crate::state::options::Switch;
use crate::state::stats::LayerStats;
use crate::state::trace_layer::TraceLayer;
use opentelemetry::InstrumentationScope;
use opentelemetry::trace::TracerProvider as _;
use std::sync::Arc;
use zerospan_logs::LoggerProvider;
use zerospan_trace::{Tracer, TracerProvider};

/// Creates a layer that records the spans and events of the `tracing` crate with a tracer of `provider`, whose instrumentation
/// scope is named `zerospan-tracing`.
///
/// The layer holds a tracer: the provider stays open while the layer exists.
pub fn layer(provider: &TracerProvider) -> TraceLayer {
    TraceLayer::new().with_tracer(provider.tracer_with_scope(scope()))
}

impl TraceLayer {
    /// Creates a layer that records nothing until it gets a tracer: from [`with_tracer`](Self::with_tracer), or later from
    /// [`LayerHandle::install`].
    pub fn new() -> Self {
        let inner = Arc::new(LayerInner::new(DEFAULT_MAX_SPANS));
        dispatch::register(&inner);
        Self { inner }
    }

    /// Records spans with `tracer`. Has no effect on a layer that has a tracer already.
    #[must_use]
    pub fn with_tracer(self, tracer: Tracer) -> Self {
        let _ = self.inner.install(tracer);
        self
    }

    /// Records spans under another instrumentation scope. Call this before the other methods: it creates another layer, of the same
    /// provider and with the default settings. Has no effect on a layer without a tracer.
    #[must_use]
    pub fn with_scope(self, scope: InstrumentationScope) -> Self {
        match self.inner.active() {
            Some(active) => Self::new().with_tracer(active.tracer.with_scope(scope)),
            None => self,
        }
    }

    /// Sets the maximum number of open spans: 262,144 by default. Spans beyond it are not recorded, and counted.
    ///
    /// The layer keeps an entry of about 300 bytes for each of as many spans as have been open at a time.
    #[must_use]
    pub fn with_max_spans(self, max: usize) -> Self {
        self.inner.set_max_spans(max);
        self
    }

    /// Sets whether spans and events have the attributes `code.file.path`, `code.module.name` and `code.line.number`. On by
    /// default.
    #[must_use]
    pub fn with_location(self, is_on: bool) -> Self {
        self.set(Switch::Location, is_on)
    }

    /// Sets whether spans have the attributes `busy_ns`, the time in which they were entered on any thread, and `idle_ns`, the
    /// time before and between. On by default.
    #[must_use]
    pub fn with_tracked_inactivity(self, is_on: bool) -> Self {
        self.set(Switch::TrackedInactivity, is_on)
    }

    /// Sets whether spans have the attributes `thread.id` and `thread.name` of the thread that created them. On by default.
    #[must_use]
    pub fn with_threads(self, is_on: bool) -> Self {
        self.set(Switch::Threads, is_on)
    }

    /// Sets whether spans have the attribute `level`. Off by default. Events always have it.
    #[must_use]
    pub fn with_level(self, is_on: bool) -> Self {
        self.set(Switch::Level, is_on)
    }

    /// Sets whether spans have the attribute `target`. On by default. Events always have it.
    #[must_use]
    pub fn with_target(self, is_on: bool) -> Self {
        self.set(Switch::Target, is_on)
    }

    /// Sets whether entering a span makes it the span of [`Context::current`](opentelemetry::Context::current), for code that
    /// knows only the API. Off by default.
    ///
    /// Allocates once for each span that is entered. Without it, spans of `zerospan-trace`'s tracers are children of the
    /// entered span nevertheless, and [`current_context`](crate::current_context) includes it.
    #[must_use]
    pub fn with_context_activation(self, is_on: bool) -> Self {
        self.set(Switch::ContextActivation, is_on)
    }

    /// Sets whether a field with a `dyn Error` becomes `exception.message`, `exception.stacktrace` with its sources, and
    /// `exception.type` if that is known, instead of attributes named after the field. On by default.
    #[must_use]
    pub fn with_error_fields_to_exceptions(self, is_on: bool) -> Self {
        self.set(Switch::ErrorFieldsToExceptions, is_on)
    }

    /// Sets whether the exception's attributes of an event are set on its span too. On by default.
    #[must_use]
    pub fn with_error_records_to_exceptions(self, is_on: bool) -> Self {
        self.set(Switch::ErrorRecordsToExceptions, is_on)
    }

    /// Sets whether an event without a message and with a field `error` becomes an event named `exception`. On by default.
    #[must_use]
    pub fn with_error_events_to_exceptions(self, is_on: bool) -> Self {
        self.set(Switch::ErrorEventsToExceptions, is_on)
    }

    /// Sets whether the `error` of an event without a message becomes the description of its span's status. On by default.
    #[must_use]
    pub fn with_error_events_to_status(self, is_on: bool) -> Self {
        self.set(Switch::ErrorEventsToStatus, is_on)
    }

    /// Sends events to the logs of `provider`: as log records with the ids of their span, in place of span events unless
    /// [`with_events`](Self::with_events) says otherwise. Has no effect on a layer that has a logger provider already.
    ///
    /// The layer holds the provider, which stays open while the layer exists. Without a tracer too, events become log records.
    #[must_use]
    pub fn with_logs(self, provider: &LoggerProvider) -> Self {
        let _ = self.inner.install_logs(Logs::new(provider));
        self
    }

    /// Sets where events are sent, once the layer has a logger provider: to the logs by default. Without one, they are span events.
    ///
    /// The status and the exception that an event reports are set on its span in any case.
    #[must_use]
    pub fn with_events(self, events: EventsTo) -> Self {
        self.set(Switch::EventsToSpans, events != EventsTo::Logs)
            .set(Switch::EventsToLogs, events != EventsTo::Spans)
    }

    /// Sets the names of span fields that log records get too: those of the innermost span that has the field, unless the event has
    /// one of that name. None by default. Has no effect if called again.
    ///
    /// Looks at each span around an event. Such fields are kept of spans that are not sampled too.
    #[must_use]
    pub fn with_span_fields_in_logs<N: Into<String>>(
        self,
        names: impl IntoIterator<Item = N>,
    ) -> Self {
        self.inner.kept_fields.set(names.into_iter().map(N::into));
        self
    }

    /// Returns a handle, with which other layers read the ids of spans, and which installs a tracer later.
    pub fn handle(&self) -> LayerHandle {
        LayerHandle::new(Arc::clone(&self.inner))
    }

    /// Returns the number of open spans, and of what was lost.
    pub fn stats(&self) -> LayerStats {
        self.inner.stats()
    }

    fn set(self, switch: Switch, is_on: bool) -> Self {
        self.inner.options.set(switch, is_on);
        self
    }
}

impl Default for TraceLayer {
    fn default() -> Self {
        Self::new()
    }
}
