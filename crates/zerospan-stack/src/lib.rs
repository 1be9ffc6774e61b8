#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod builder;
mod error;
mod sets;
mod text;

pub use builder::StackSpanBuilder;
pub use error::InlineError;
pub use sets::fixed::{FixedAttributes, create_fixed_attributes};
pub use sets::inline::InlineAttributes;
pub use sets::into_iter::{FixedIntoIter, StackIntoIter};
pub use sets::stack::StackAttributes;
pub use text::inline_str::InlineStr;
pub use text::pieces::{Text, TextError};
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
