#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod builder;
mod interner;
mod sets;

pub use builder::{REQUEST_ID, SERVICE_NAME, SERVICE_VERSION, ZeroCopyAttributeBuilder};
pub use interner::{Interner, InternerStats};
pub use sets::common::COMMON_ATTRIBUTES;
pub use sets::overlay::Overlay;
pub use sets::shared::SharedAttributes;
pub use sets::statics::StaticAttributes;
#[doc(no_inline)]
pub use zerospan_core::{
    AsAttribute, AsAttributeValue, Attribute, AttributeSink, AttributeSource, AttributeValue,
    CapacityError, EncodingCache, EncodingFormat, ExtendError, Footprint, Reset,
};
