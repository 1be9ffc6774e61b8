//! Protobuf as OTLP uses it: the names of all fields, and the reader of the family's crates.
//!
//! Not part of the public API: other crates of the family use it, at the same version.

mod error;
mod reader;
pub mod schema;
mod varint;
mod wire_type;

pub use error::{DecodeError, DecodeErrorKind};
pub use reader::{Field, FieldValue, Fields, Message};
pub use varint::{field_len, leading_field_len, read_varint, varint_len, write_varint};
