#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod base;
mod context;
mod counters;
mod provider;
mod sampler;
mod sdk;
mod shutdown;
mod sink;
mod slot;
mod span;
mod tracer;
mod w3c;

/// The support for layers of the `tracing` crate: not covered by semantic versioning.
#[doc(hidden)]
pub mod layer {
    pub use crate::context::active_spans::{EntryKey, Exited};
    pub use crate::span::{
        LayerThread, Moment, count_unused, exit_all, is_suppressed, last_of_owner, replace_entries,
        retain, with_owner, with_thread,
    };
    pub use zerospan_otlp::{AttributeBuffer, SpanLimits};
}

/// The parts of a provider that those of other signals share: not covered by semantic versioning.
#[doc(hidden)]
pub mod shared {
    pub use crate::base::clock::ClockReader;
    pub use crate::base::env::{EnvResource, is_disabled, number};
    pub use crate::context::parent::ParentIds;
    pub use crate::sdk::{build_resource, merge_resources};
    pub use crate::sink::{DEFAULT_TIMEOUT, Sink, SinkProcessor, flush, set_resource, shut_down};
    pub use crate::span::current_ids;
}

pub use base::clock::Clock;
pub use provider::{TraceStats, TracerProvider, TracerProviderBuilder};
pub use sampler::{IntoSampler, ParentBased, Sampler};
pub use sdk::SdkProcessor;
pub use sink::{ProcessorError, ProviderError};
pub use span::{
    Entered, FinishedSpan, FutureExt, InSpan, Processor, Span, attach_entered_spans,
    current_context, current_span_context,
};
pub use tracer::{SpanBuilder, Tracer};
pub use w3c::{TraceContextPropagator, TraceParent, TraceParentError, remote_span_context};
pub use zerospan_core::{
    Attribute, AttributeSink, AttributeSource, AttributeValue, ExtendError, SinkError,
};
pub use zerospan_export::{ExportStats, FlushError, Pipeline, ShutdownError};
pub use zerospan_otlp::{
    AttributeValues, AttributeView, AttributeWriter, DecodeError, EventView, LinkView, SpanView,
    StaticKey, StaticKeySet, StatusView, TextWriter, ValueView,
};
pub use zerospan_transport::ConfigError;
