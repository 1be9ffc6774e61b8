//! What the family's tests share: the conformance kit, the canary and the counting allocator (feature `dev`).
//!
//! For dev-dependencies: nothing here belongs into a program that ships.

mod allocations;
mod canary;
pub mod conformance;

pub use allocations::{Allocations, CountingAllocator};
pub use canary::Canary;
