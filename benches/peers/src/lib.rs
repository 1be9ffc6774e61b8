//! Compares zerospan with what a user could pick instead: `cargo xtask bench --peers`.
//!
//! Each process measures one peer at one workload, since `tracing`, fastrace and emit have globals. Most peers end in OTLP
//! bytes in memory. emit can only send: it and two others send over HTTP to a receiver in another process. What a peer adds
//! to spans by default (thread, source line, level) is switched off where possible.

mod clients;
pub mod measure;
pub mod receiver;
mod workload;

pub use clients::Peer;
pub use workload::Workload;
