#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod error;
mod shared;
mod span;
mod text;
mod typed;

pub use error::{FormatError, LimitError, PushError};
pub use shared::arena::{ArenaShare, SharedAttributeArena};
pub use shared::set::SharedAttributeSet;
pub use span::arena::SpanAttributeArena;
pub use span::attributes::ArenaAttributes;
pub use span::guard::ArenaGuard;
pub use span::set::AttributeSet;
pub use text::{TextPiece, TextPieces};
pub use typed::TypedArena;
#[doc(no_inline)]
pub use zerospan_core::{
    AsAttribute, Attribute, AttributeSink, AttributeSource, AttributeValue, CapacityError,
    ExtendError, Footprint, Reset, SinkError,
};
