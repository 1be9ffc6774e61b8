//! The official SDK's types, and the conversions between them and ours.
//!
//! No other module of this crate names the SDK, so a new version of it changes what stands here and nothing else.

mod error;
mod limits;
mod processor;
mod resource;
mod sampler;

pub use processor::SdkProcessor;
pub use resource::{build as build_resource, merge as merge_resources};

pub(crate) use limits::apply as apply_limits;
pub(crate) use opentelemetry_sdk::Resource;
pub(crate) use opentelemetry_sdk::trace::{
    IdGenerator, SamplingDecision, SamplingResult, ShouldSample, SpanLimits as SdkSpanLimits,
    SpanProcessor,
};
pub(crate) use sampler::{BuiltIn, SamplerArgs, built_in, sample};
