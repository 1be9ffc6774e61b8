// The examples need every feature.
#![cfg_attr(any(not(doctest), feature = "full"), doc = include_str!("../README.md"))]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

// The examples of the project's pages are tests of this crate: they need every feature.
#[cfg(all(doctest, feature = "full"))]
mod pages;

#[cfg(feature = "arena")]
pub use zerospan_arena as arena;
#[cfg(feature = "attributes")]
pub use zerospan_attributes as attributes;
#[cfg(feature = "core")]
pub use zerospan_core as core;
#[cfg(feature = "export")]
pub use zerospan_export as export;
#[cfg(feature = "logs")]
pub use zerospan_logs as logs;
#[cfg(feature = "otlp")]
pub use zerospan_otlp as otlp;
#[cfg(feature = "pool")]
pub use zerospan_pool as pool;
#[cfg(feature = "sdk")]
pub use zerospan_sdk as sdk;
#[cfg(feature = "stack")]
pub use zerospan_stack as stack;
#[cfg(feature = "trace")]
pub use zerospan_trace as trace;
#[cfg(feature = "tracing")]
pub use zerospan_tracing as tracing;
#[cfg(feature = "transport")]
pub use zerospan_transport as transport;
