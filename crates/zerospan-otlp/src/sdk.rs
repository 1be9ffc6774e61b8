//! Encoding the spans of the official SDK.

mod attributes;
mod batch;
mod span_data;

pub use batch::BatchEncoder;
pub use span_data::encode_span_data;
