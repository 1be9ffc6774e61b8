//! What zerospan promises, measured against what it is compared with.
//!
//! A [`Row`] is one promise. The program `budget` times its two sides, the program `allocations` counts what they
//! allocate: two programs, since an allocator that counts makes whoever allocates most look slowest. The program
//! `instructions` runs the [`HOT_PATHS`], whose instructions are counted.

mod contest;
pub mod growth;
mod keys;
mod one_core;
mod paths;
#[cfg(feature = "peers")]
pub mod peers;
mod report;
pub mod rows;
mod shortfall;
mod timing;

pub use contest::{Budget, Clock, Contest, Row};
pub use paths::{HOT_PATHS, HotPath, run_counted_path};
pub use report::{Allocated, Counts, Report, Verdict};
pub use shortfall::Shortfall;
pub use timing::{Effort, Quartiles, Timing};
