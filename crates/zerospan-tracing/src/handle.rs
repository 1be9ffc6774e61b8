use crate::state::dispatch;
use crate::state::inner::LayerInner;
use crate::state::logs::Logs;
use crate::state::stats::LayerStats;
use opentelemetry::trace::{SpanContext, TraceContextExt, TracerProvider as _};
use opentelemetry::{Context, InstrumentationScope};
use std::sync::Arc;
use tracing_core::Dispatch;
use tracing_core::span::Id;
use zerospan_logs::LoggerProvider;
use zerospan_trace::{Tracer, TracerProvider};

/// The name of the instrumentation scope, unless another is set.
const SCOPE: &str = "zerospan-tracing";

pub(crate) fn scope() -> InstrumentationScope {
    InstrumentationScope::builder(SCOPE)
        .with_version(env!("CARGO_PKG_VERSION"))
        .build()
}

/// Access to a [`TraceLayer`](crate::TraceLayer) from elsewhere: from other layers, from log formats, and from the place that
/// creates the provider. Cloning copies a pointer.
#[derive(Clone, Debug)]
pub struct LayerHandle {
    inner: Arc<LayerInner>,
}

impl LayerHandle {
    pub(crate) fn new(inner: Arc<LayerInner>) -> Self {
        Self { inner }
    }

    /// Returns the context of an open span: its trace id and its span id, which do not change from now on.
    ///
    /// Available from the layer's `on_new_span` on: to the hooks of layers that were added after it, and to every later hook of
    /// all layers. Returns `None` for a span that the layer does not know. Allocates only for a trace state.
    pub fn span_context(&self, id: &Id) -> Option<SpanContext> {
        self.inner.use_context(id)
    }

    /// Gives the layer a tracer of `provider`: spans are recorded from now on.
    ///
    /// # Errors
    ///
    /// Returns `AlreadyInstalled` if the layer has a tracer.
    pub fn install(&self, provider: &TracerProvider) -> Result<(), AlreadyInstalled> {
        self.install_tracer(provider.tracer_with_scope(scope()))
    }

    /// Gives the layer a tracer: spans are recorded from now on.
    ///
    /// # Errors
    ///
    /// Returns `AlreadyInstalled` if the layer has a tracer.
    pub fn install_tracer(&self, tracer: Tracer) -> Result<(), AlreadyInstalled> {
        self.inner.install(tracer).map_err(|_| AlreadyInstalled)
    }

    /// Sends events to the logs of `provider` from now on, as [`with_logs`](crate::TraceLayer::with_logs) does.
    ///
    /// # Errors
    ///
    /// Returns `AlreadyInstalled` if the layer has a logger provider.
    pub fn install_logs(&self, provider: &LoggerProvider) -> Result<(), AlreadyInstalled> {
        let is_installed = self.inner.install_logs(Logs::new(provider));
        is_installed.then_some(()).ok_or(AlreadyInstalled)
    }

    /// Returns the number of open spans, and of what was lost.
    pub fn stats(&self) -> LayerStats {
        self.inner.stats()
    }
}

/// The error of installing a tracer, or a logger provider, in a layer that has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlreadyInstalled;

impl std::fmt::Display for AlreadyInstalled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the layer has one already: create another layer")
    }
}

impl std::error::Error for AlreadyInstalled {}

/// Returns the context of an open span of a subscriber: its trace id and its span id, which do not change from now on.
///
/// A layer keeps the `Dispatch` that `on_register_dispatch` passes, as a `WeakDispatch`. With a [`LayerHandle`] it needs none.
pub fn span_context(id: &Id, dispatch: &Dispatch) -> Option<SpanContext> {
    dispatch::find(dispatch, id, |inner| inner.use_context(id))
}

/// Returns a `Context` with an open span of a subscriber as its span, as `tracing-opentelemetry` does. Allocates once.
pub fn get_otel_context(id: &Id, dispatch: &Dispatch) -> Option<Context> {
    let span = span_context(id, dispatch)?;
    Some(zerospan_core::context::current().with_remote_span_context(span))
}
