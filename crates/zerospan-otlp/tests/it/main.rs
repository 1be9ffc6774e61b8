//! The crate from outside, against the official messages.

mod decoded;
mod model;
mod official;
mod recorder;
mod spans;
mod view;
