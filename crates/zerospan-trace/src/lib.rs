#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod builder;
mod clock;
mod core;
mod counts;
mod environment;
mod error;
mod future;
mod ids;
mod local;
mod parent;
mod processor;
mod provider;
mod resource;
mod sampler;
mod scope;
mod sdk_processor;
mod slot;
mod span;
mod span_builder;
mod stats;

mod tracer;
mod w3c;

pub use builder::TracerProviderBuilder;
pub use clock::Clock;
pub use error::ProviderError;
pub use future::{FutureExt, InSpan};
pub use processor::{FinishedSpan, Processor, ProcessorError};
pub use provider::TracerProvider;
pub use sampler::{ParentBased, Sampler};
pub use scope::{Entered, current_context, current_span_context};
pub use sdk_processor::SdkProcessor;
pub use span::Span;
pub use span_builder::SpanBuilder;
pub use stats::TraceStats;
pub use tracer::Tracer;
pub use w3c::{TraceContextPropagator, TraceParent, TraceParentError, remote_span_context};
pub use zerospan_otlp::{AttributeWriter, StaticKey};
