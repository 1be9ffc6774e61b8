use super::inner::LayerInner;
use std::sync::Arc;

/// Records the spans of the `tracing` crate as OpenTelemetry spans, and its events as events of these. Created by [`layer`](crate::layer()).
///
/// Implements [`Layer`](tracing_subscriber::Layer) for every subscriber with a registry. It never decides which spans and
/// events other layers get: give it a filter of its own with [`with_filter`](tracing_subscriber::Layer::with_filter).
///
/// The methods `with_…` have the names and the defaults of `tracing-opentelemetry` 0.34, except that contexts are not activated
/// by default.
#[derive(Debug)]
pub struct TraceLayer {
    pub(crate) inner: Arc<LayerInner>,
}
