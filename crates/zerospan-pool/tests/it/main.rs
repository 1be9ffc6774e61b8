//! The guarantees of pools, for every backend.
#![cfg(not(loom))]

mod backends;
mod bad_input;
mod bytes;
mod canary;
mod excess;
#[cfg(feature = "array-queue")]
mod model;
mod panics;
mod share;
#[cfg(feature = "sdk")]
mod span;
mod threads;
