#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod builder;
mod error;
mod fixed;
mod inline;
mod inline_str;
mod into_iter;
mod stack;
mod text;
mod write;

pub use builder::StackSpanBuilder;
pub use error::InlineError;
pub use fixed::{FixedAttributes, create_fixed_attributes};
pub use inline::InlineAttributes;
pub use inline_str::InlineStr;
pub use into_iter::{FixedIntoIter, StackIntoIter};
pub use stack::StackAttributes;
pub use text::{Text, TextError};
#[doc(no_inline)]
pub use zerospan_core::{
    AsAttributeValue, Attribute, AttributeSink, AttributeSource, AttributeValue, CapacityError,
    ExtendError, Footprint, Reset, SinkError,
};

/// Names for the macros, so that their callers need not depend on the crates.
#[doc(hidden)]
pub mod __private {
    pub use opentelemetry::KeyValue;
}
