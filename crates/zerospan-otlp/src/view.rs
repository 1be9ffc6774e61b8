//! Views of encoded requests, spans and log records, read in place.

mod fields;
mod items;
mod log_record;
mod repeated;
mod request;
mod resource;
mod scope;
mod span;
mod value;

pub use log_record::LogRecordView;
pub use repeated::{Repeated, Texts};
pub use request::{
    LogsRequestView, RequestView, ResourceLogsView, ResourceSpansView, ScopeLogsView,
    ScopeSpansView,
};
pub use resource::{EntityRefView, ResourceView};
pub use scope::ScopeView;
pub use span::{EventView, LinkView, SpanView, StatusView};
pub use value::{AttributeView, ValueView};
