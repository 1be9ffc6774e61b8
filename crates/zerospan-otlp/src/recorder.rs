//! A span or a log record that is being recorded.

mod buffer;
mod events;
mod finish;
mod head;
mod limits;
mod links;
mod log_body;
mod log_finish;
mod log_limits;
mod log_record;
mod rollback;
mod span_recorder;
mod start;

pub use buffer::AttributeBuffer;
pub use limits::SpanLimits;
pub use log_limits::LogRecordLimits;
pub use log_record::LogRecordRecorder;
pub use span_recorder::SpanRecorder;
