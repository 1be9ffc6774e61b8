//! Reading encoded spans where they stand.

mod common;
mod error;
mod field;
mod message;
mod request;
mod span;
mod value;

pub use common::{EntityRefView, ResourceView, ScopeView};
pub use error::{ViewError, ViewErrorKind};
pub use message::{Repeated, Texts};
pub use request::{RequestView, ResourceSpansView, ScopeSpansView};
pub use span::{EventView, LinkView, SpanView, StatusView};
pub use value::{AttributeView, ValueView};

pub(crate) use message::Message;
