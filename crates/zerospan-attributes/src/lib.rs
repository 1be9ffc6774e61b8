#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod builder;
mod encoding;
mod interner;
mod overlay;
mod process;
mod shared;
mod statics;

pub use builder::{REQUEST_ID, SERVICE_NAME, SERVICE_VERSION, ZeroCopyAttributeBuilder};
pub use interner::{Interner, InternerStats};
pub use overlay::Overlay;
pub use process::COMMON_ATTRIBUTES;
pub use shared::SharedAttributes;
pub use statics::StaticAttributes;
