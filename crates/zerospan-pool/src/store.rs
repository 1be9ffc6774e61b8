#[cfg(feature = "array-queue")]
pub(crate) mod array_queue;
#[cfg(feature = "object-pool")]
pub(crate) mod object_pool;
mod store_pool;
