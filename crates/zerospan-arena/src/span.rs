pub(crate) mod arena;
pub(crate) mod attributes;
mod concat;
mod format;
pub(crate) mod guard;
pub(crate) mod set;
