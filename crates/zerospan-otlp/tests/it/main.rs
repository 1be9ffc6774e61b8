//! The crate from outside, against the official messages.

mod contract;
mod counts;
mod damage;
mod decoded;
mod every_byte;
mod log_contract;
mod log_model;
mod logs;
mod model;
mod official;
mod recorder;
mod spans;
mod values;
mod view;
