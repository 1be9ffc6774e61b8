//! A span that is being recorded.

mod buffer;
mod events;
mod finish;
mod head;
mod limits;
mod links;
mod rollback;
mod span_recorder;
mod start;

pub use buffer::AttributeBuffer;
pub use limits::SpanLimits;
pub use span_recorder::SpanRecorder;
