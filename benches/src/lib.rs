//! Measures what zerospan promises against what it is compared with.
//!
//! A [`Row`](comparison::Row) is one promise. The program `benches` times both sides of each row and runs the
//! [`HOT_PATHS`](hot_paths::HOT_PATHS) for `cargo xtask guard`; the program `counting` counts allocations. They are two
//! programs because a counting allocator slows down the side that allocates.

pub mod clock;
pub mod comparison;
pub mod growth;
pub mod hot_paths;
pub mod keys;
pub mod machine;
pub mod measure;
pub mod pinned_core;
pub mod pipelines;
pub mod report;
pub mod rows;
pub mod service;
pub mod sink;
pub mod subscriber;
pub mod threads;
pub mod verdict;
