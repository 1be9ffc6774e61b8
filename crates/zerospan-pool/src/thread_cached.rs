pub(crate) mod cache;
pub(crate) mod depot;
pub(crate) mod pool;
mod shared;
pub(crate) mod thread_cache;
