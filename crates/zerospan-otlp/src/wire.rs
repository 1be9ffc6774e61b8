//! Writing at the end of a buffer: one check of the capacity for each record, then wide stores.
//!
//! The only module with `unsafe`. A record is a value that implements [`Encode`], mostly a tuple of such values. [`append`]
//! asks once for the largest length that all of them may take; each is then written without a further check. A store may
//! reach beyond the value by a bounded number of bytes. The next value overwrites these, or they stay in spare capacity,
//! which safe code cannot read.
#![allow(unsafe_code)]

mod append;
#[cfg(any(test, feature = "sdk"))]
mod attribute;
mod bytes;
mod copy;
mod cursor;
mod encode;
mod field;
mod length_prefix;
#[cfg(test)]
mod tests;
mod varint;

pub use append::SPARE_CAPACITY;
pub(crate) use append::{append, reserve};
#[cfg(feature = "sdk")]
pub(crate) use attribute::PendingAttribute;
pub(crate) use bytes::{MAX_SHORT_LEN, ShortBytes, TEMPLATE_LEN, Template};
pub(crate) use cursor::Cursor;
pub(crate) use encode::Encode;
#[cfg(feature = "sdk")]
pub(crate) use field::short_text;
pub(crate) use field::{count, count_len, fixed64, text};
pub(crate) use length_prefix::{LengthPrefix, begin, close, close_short, open};
pub(crate) use varint::Varint;
