//! Attributes: their keys, their encoding, and the writer that keeps the last value of each key.

#[cfg(feature = "logs")]
mod any_value;
mod encode;
mod extend;
mod format;
mod key;
mod key_hash;
mod key_index;
mod shared;
mod static_key;
mod static_key_set;
mod value;
mod writer;

#[cfg(feature = "logs")]
pub(crate) use any_value::encode_any;
#[cfg(feature = "sdk")]
pub(crate) use encode::encode_any_value;
pub(crate) use encode::{UNLIMITED, encode, encode_value, key_is};
pub use format::TextWriter;
pub(crate) use format::{encode_formatted, encode_written};
pub use key::HashedKey;
pub(crate) use key_hash::hash;
pub(crate) use key_index::KeyIndex;
pub use static_key::StaticKey;
pub use static_key_set::{AttributeValues, StaticKeySet};
pub(crate) use value::encode_without_key;
pub use writer::AttributeWriter;
pub(crate) use writer::max_chars;
