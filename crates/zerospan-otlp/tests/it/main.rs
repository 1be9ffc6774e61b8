//! The crate from outside, against the official messages.

mod contract;
mod damage;
mod decoded;
mod log_contract;
mod log_model;
mod logs;
mod model;
mod official;
mod recorder;
mod spans;
mod values;
mod view;
