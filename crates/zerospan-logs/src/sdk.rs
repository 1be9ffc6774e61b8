//! The official SDK's types, and the conversions between them and ours.
//!
//! No other module of this crate names the SDK, so a new version of it changes what stands here and nothing else.

mod processor;

pub(crate) use opentelemetry_sdk::Resource;
pub(crate) use opentelemetry_sdk::logs::LogProcessor;
pub use processor::SdkProcessor;
