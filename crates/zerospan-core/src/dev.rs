//! Test tools for implementers: the conformance kit, the canary and the counting allocator (feature `dev`).
//!
//! For dev-dependencies only.

mod allocations;
mod canary;
pub mod conformance;

pub use allocations::{Allocations, CountingAllocator};
pub use canary::Canary;
