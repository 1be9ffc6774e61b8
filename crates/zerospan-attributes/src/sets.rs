pub(crate) mod common;
mod encoding;
pub(crate) mod overlay;
pub(crate) mod shared;
pub(crate) mod statics;
