#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod builder;
mod error;
mod fill;
mod fixed;
mod inline;
mod inline_str;
mod stack;
mod text;

pub use builder::StackSpanBuilder;
pub use error::InlineError;
pub use fixed::{FixedAttributes, create_fixed_attributes};
pub use inline::InlineAttributes;
pub use inline_str::InlineStr;
pub use stack::StackAttributes;
pub use text::{Text, TextError};

/// What the macros name: the caller need not depend on it.
#[doc(hidden)]
pub mod __private {
    pub use opentelemetry::KeyValue;
}
