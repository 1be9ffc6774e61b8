pub(crate) mod cache;
pub(crate) mod depot;
pub(crate) mod excess;
pub(crate) mod pool;
pub(crate) mod room;
mod share;
mod shared;
pub(crate) mod thread_cache;
