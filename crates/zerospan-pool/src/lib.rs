#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod base;
#[cfg(all(test, loom))]
mod models;
mod pool;
#[cfg(feature = "sdk")]
mod span_pool;
#[cfg(any(feature = "array-queue", feature = "object-pool"))]
mod store;
mod thread_cached;
#[doc(hidden)]
pub mod thread_states;
#[doc(hidden)]
pub mod trim;

pub use base::config::DEFAULT_RETENTION_LIMIT;
pub use base::stats::{Discards, PoolStats};
pub use pool::{Pool, Pooled, Return};
#[cfg(feature = "sdk")]
pub use span_pool::{GLOBAL_SPAN_POOL, PooledSpan, SpanPool, SpanRecycle, SpanThreads};
#[cfg(feature = "array-queue")]
pub use store::array_queue::{ArrayQueuePool, QueueCapacityError};
#[cfg(feature = "object-pool")]
pub use store::object_pool::ObjectPool;
pub use thread_cached::cache::ThreadCaches;
pub use thread_cached::pool::ThreadCachedPool;
pub use thread_cached::thread_cache::{AnyThread, ThreadCache};
#[doc(hidden)]
pub use thread_cached::{excess::Excess, room::Reservation};
#[doc(no_inline)]
pub use zerospan_core::{DefaultRecycle, Footprint, Recycle, Reset};
