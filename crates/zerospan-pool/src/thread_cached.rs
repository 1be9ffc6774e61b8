pub(crate) mod cache;
// `tests/loom.rs` models the depot.
#[cfg_attr(not(loom), allow(unreachable_pub))]
pub(crate) mod depot;
pub(crate) mod pool;
mod shared;
pub(crate) mod thread_cache;
