//! The values of fields: formatted and encoded without a lock and a borrow, since formatting runs foreign code.

mod error;
pub(crate) mod event;
pub(crate) mod scratch;
pub(crate) mod span;
pub(crate) mod thread;
mod value;
