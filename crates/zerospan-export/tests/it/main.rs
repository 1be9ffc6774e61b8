//! The contracts of `zerospan-export`, against real sockets on the loopback interface.
#![cfg(all(feature = "http", feature = "grpc", feature = "gzip", feature = "tls"))]

mod collector;
mod exporter;
mod faults;
#[cfg(feature = "metrics")]
mod metrics;
mod model;
mod observed;
mod pipeline;
mod scenario;
mod support;
