#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod arena;
mod attributes;
mod concat;
mod error;
mod format;
mod guard;
mod set;
mod shared;
mod text;
mod typed;

pub use arena::SpanAttributeArena;
pub use attributes::ArenaAttributes;
pub use error::{FormatError, LimitError, PushError};
pub use guard::ArenaGuard;
pub use set::AttributeSet;
pub use shared::{ArenaShare, SharedAttributeArena, SharedAttributeSet};
pub use text::{Parts, Text};
pub use typed::TypedArena;
