//! Encoding the spans and resources of the official SDK.
//!
//! No other module of this crate names the SDK.

mod attributes;
mod batch;
mod resource;
mod span_data;

pub use batch::BatchEncoder;
pub use span_data::encode_span_data;
