//! Views of encoded requests and spans, read in place.

mod repeated;
mod request;
mod resource;
mod scope;
mod span;
mod value;

pub use repeated::{Repeated, Texts};
pub use request::{RequestView, ResourceSpansView, ScopeSpansView};
pub use resource::{EntityRefView, ResourceView};
pub use scope::ScopeView;
pub use span::{EventView, LinkView, SpanView, StatusView};
pub use value::{AttributeView, ValueView};
