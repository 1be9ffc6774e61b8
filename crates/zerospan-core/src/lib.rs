#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![deny(unsafe_code)]

mod attributes;
#[doc(hidden)]
pub mod context;
#[cfg(feature = "dev")]
pub mod dev;
mod error;
#[doc(hidden)]
pub mod fork;
#[cfg(feature = "log")]
#[doc(hidden)]
pub mod log;
#[doc(hidden)]
pub mod panics;
#[doc(hidden)]
pub mod prefetch;
mod recycle;
#[doc(hidden)]
pub mod sync;

pub use attributes::attribute::{AsAttribute, Attribute};
pub use attributes::encoding::{EncodingCache, EncodingFormat};
pub use attributes::sink::AttributeSink;
pub use attributes::source::AttributeSource;
pub use attributes::value::{AsAttributeValue, AttributeValue, StrArray, StrArrayIter};
pub use error::{CapacityError, ExtendError, SinkError, UnsupportedValue};
pub use recycle::{DefaultRecycle, Footprint, Recycle, Reset};
