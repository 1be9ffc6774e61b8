#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(feature = "array-queue")]
mod array_queue;
// The model in `tests/loom.rs` reaches the depot.
#[cfg_attr(not(loom), allow(unreachable_pub))]
mod depot;
mod guard;
#[cfg(feature = "object-pool")]
mod object_pool;
mod pool;
#[cfg(feature = "sdk")]
mod span;
mod stats;
#[cfg(any(feature = "array-queue", feature = "object-pool"))]
mod store;
mod sync;
mod terms;
mod thread_cached;

#[cfg(feature = "array-queue")]
pub use array_queue::{ArrayQueuePool, QueueCapacityError};
#[cfg(loom)]
#[doc(hidden)]
pub use depot::Depot;
pub use guard::Pooled;
#[cfg(feature = "object-pool")]
pub use object_pool::ObjectPool;
pub use pool::{Pool, Settlement};
#[cfg(feature = "sdk")]
pub use span::{GLOBAL_SPAN_POOL, PooledSpan, SpanPool, SpanRecycle, SpanThreads};
pub use stats::{Discards, PoolStats};
pub use terms::DEFAULT_RETENTION_LIMIT;
pub use thread_cached::{AnyThread, ThreadCache, ThreadCachedPool, ThreadCaches};
