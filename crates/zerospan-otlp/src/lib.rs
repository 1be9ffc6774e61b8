#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![deny(unsafe_code)]

mod attribute;
mod envelope;
#[doc(hidden)]
pub mod protobuf;
mod recorder;
#[cfg(feature = "sdk")]
mod sdk;
mod span;
mod time;
mod view;
mod wire;

pub use attribute::{
    AttributeValues, AttributeWriter, HashedKey, StaticKey, StaticKeySet, TextWriter,
};
#[doc(hidden)]
pub use envelope::ScopeIdentity;
pub use envelope::{EncodedResource, EncodedScope, encode_request, request_len};
pub use protobuf::{DecodeError, DecodeErrorKind};
#[doc(hidden)]
pub use recorder::AttributeBuffer;
pub use recorder::{LogRecordLimits, LogRecordRecorder, SpanLimits, SpanRecorder};
#[cfg(feature = "sdk")]
pub use sdk::{BatchEncoder, encode_span_data};
pub use span::SpanStart;
pub use time::unix_nanos;
pub use view::{
    AttributeView, EntityRefView, EventView, LinkView, LogRecordView, LogsRequestView, Repeated,
    RequestView, ResourceLogsView, ResourceSpansView, ResourceView, ScopeLogsView, ScopeSpansView,
    ScopeView, SpanView, StatusView, Texts, ValueView,
};
pub use wire::SPARE_CAPACITY;
