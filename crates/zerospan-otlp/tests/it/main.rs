//! The crate from outside, against the official messages.

mod contract;
mod decoded;
mod logs;
mod model;
mod official;
mod recorder;
mod spans;
mod view;
