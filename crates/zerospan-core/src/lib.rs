#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

mod attribute;
#[cfg(feature = "dev")]
pub mod dev;
mod encoding;
mod error;
#[doc(hidden)]
pub mod fork;
mod recycle;
mod sink;
mod source;
#[doc(hidden)]
pub mod sync;
mod value;

pub use attribute::{AsAttribute, Attribute};
pub use encoding::{EncodingCache, EncodingFormat};
pub use error::{CapacityError, ExtendError, SinkError, UnsupportedValue};
pub use recycle::{DefaultRecycle, Footprint, Recycle, Reset};
pub use sink::AttributeSink;
pub use source::AttributeSource;
pub use value::{AsAttributeValue, AttributeValue, StrArray, StrArrayIter};
