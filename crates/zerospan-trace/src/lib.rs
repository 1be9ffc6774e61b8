#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod clock;

mod ids;
mod sampler;

pub use clock::Clock;
pub use sampler::{ParentBased, Sampler};
