//! Attributes: their keys, their encoding, and the writer that keeps the last value of each key.

mod encode;
mod extend;
mod key;
mod key_hash;
mod key_index;
mod shared;
mod static_key;
mod writer;

#[cfg(feature = "sdk")]
pub(crate) use encode::encode_any_value;
pub(crate) use encode::{UNLIMITED, encode, encode_value, key_is};
pub use key::HashedKey;
pub(crate) use key_hash::hash;
pub(crate) use key_index::KeyIndex;
pub use static_key::StaticKey;
pub use writer::AttributeWriter;
pub(crate) use writer::max_chars;
