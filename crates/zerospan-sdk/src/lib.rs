#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod exporter;
mod outcome;
mod processor;
mod recycled;
mod scopes;

pub use exporter::OtlpSpanExporter;
pub use processor::OtlpSpanProcessor;
pub use recycled::{RecycledBuilder, recycled_attributes, recycled_events, recycled_links};
/// Where spans go and what became of them: set up with `export::Pipeline::builder()`.
pub use zerospan_export as export;
