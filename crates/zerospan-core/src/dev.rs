//! Test tools for implementers (feature `dev`): the conformance kit, the canary, the counting allocator, and the processes, places and
//! subscribers that tests run in.
//!
//! For dev-dependencies only.

mod allocations;
#[cfg(feature = "log")]
pub mod anywhere;
mod canary;
pub mod conformance;
mod own_process;
#[cfg(feature = "log")]
mod warnings;

pub use allocations::{Allocations, CountingAllocator};
pub use canary::Canary;
pub use own_process::{in_own_process, own_process};
#[cfg(feature = "log")]
pub use warnings::Warnings;
