pub(crate) mod arena;
pub(crate) mod set;
mod slabs;
