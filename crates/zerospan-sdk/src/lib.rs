#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod exporter;
mod processor;
mod recycled;
mod result;
mod scopes;

pub use exporter::OtlpSpanExporter;
pub use processor::OtlpSpanProcessor;
pub use recycled::{RecycledBuilder, recycled_attributes, recycled_events, recycled_links};
#[doc(no_inline)]
pub use zerospan_export as export;
