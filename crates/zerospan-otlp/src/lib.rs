#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

mod attribute;
mod attributes;
#[cfg(feature = "sdk")]
mod batch;
mod frame;
mod header;
mod key;
mod key_index;
mod limits;
mod nested;
#[doc(hidden)]
pub mod protobuf;
mod recorder;
mod shared;
#[cfg(feature = "sdk")]
mod span_data;
mod time;
mod view;
mod wire;

pub use attributes::AttributeWriter;
#[cfg(feature = "sdk")]
pub use batch::BatchEncoder;
pub use frame::{EncodedResource, EncodedScope, encode_request, request_len};
pub use header::SpanStart;
pub use key::{HashedKey, StaticKey};
pub use limits::SpanLimits;
pub use protobuf::{DecodeError, DecodeErrorKind};
pub use recorder::SpanRecorder;
#[cfg(feature = "sdk")]
pub use span_data::encode_span_data;
pub use time::unix_nanos;
pub use view::{
    AttributeView, EntityRefView, EventView, LinkView, Repeated, RequestView, ResourceSpansView,
    ResourceView, ScopeSpansView, ScopeView, SpanView, StatusView, Texts, ValueView,
};
pub use wire::SPARE_CAPACITY;
