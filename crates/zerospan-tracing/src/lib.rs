#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod ext;
mod handle;
mod layer;
#[cfg(all(test, loom))]
mod models;
mod record;
mod setup;
mod state;

pub use ext::{OpenTelemetrySpanExt, SetParentError};
pub use handle::{AlreadyInstalled, LayerHandle, get_otel_context, span_context};
pub use layer::layer;
pub use setup::{Builder, Guard, InitError, builder, init};
pub use state::events_to::EventsTo;
pub use state::stats::LayerStats;
pub use state::trace_layer::TraceLayer;
pub use zerospan_trace::{current_context, current_span_context};

#[cfg(all(test, not(loom)))]
mod tests;
