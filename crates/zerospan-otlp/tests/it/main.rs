//! The crate from outside, against the official messages.

mod official;
mod recorder;
mod spans;
