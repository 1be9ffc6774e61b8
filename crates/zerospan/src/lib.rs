#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(feature = "arena")]
pub use zerospan_arena as arena;
#[cfg(feature = "attributes")]
pub use zerospan_attributes as attributes;
pub use zerospan_core as core;
#[cfg(feature = "pool")]
pub use zerospan_pool as pool;
#[cfg(feature = "stack")]
pub use zerospan_stack as stack;
