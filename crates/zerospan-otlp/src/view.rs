//! Views of encoded requests, spans and log records, read in place.

mod fields;
mod items;
mod log_record;
mod logs;
mod repeated;
mod request;
mod resource;
mod scope;
mod span;
mod value;

pub use log_record::LogRecordView;
pub use logs::{LogsRequestView, ResourceLogsView, ScopeLogsView};
pub use repeated::{Repeated, Texts};
pub use request::{RequestView, ResourceSpansView, ScopeSpansView};
pub use resource::{EntityRefView, ResourceView};
pub use scope::ScopeView;
pub use span::{EventView, LinkView, SpanView, StatusView};
pub use value::{AttributeView, ValueView};
