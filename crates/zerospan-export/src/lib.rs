#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

mod batch;
mod batch_config;
mod builder;
mod chunk;
mod config;
mod core;
mod delivery;
mod error;
mod fork;
#[cfg(all(fuzzing, feature = "http", feature = "grpc"))]
pub mod fuzzing;
mod limits;
mod local;
mod memory;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(all(test, loom))]
mod models;
mod pipeline;
mod producer;
mod retry;
mod scope;
mod slot;
mod state;
mod stats;
mod sync;
mod transport;
mod wire;
mod worker;

pub use batch_config::BatchConfig;
pub use builder::PipelineBuilder;
pub use config::{Compression, OtlpConfig, Protocol};
pub use error::{ConfigError, FlushError, ShutdownError};
pub use fork::{fork_generation, watch_forks};
pub use memory::InMemory;
pub use pipeline::{Pipeline, StatsWatch};
pub use producer::Producer;
pub use retry::RetryPolicy;
pub use scope::Scope;
pub use stats::{DropCause, Dropped, ExportStats};
pub use transport::{Accepted, Connect, Request, Retry, SendError, ToFile, Transport};
pub use zerospan_otlp::EncodedResource;

/// How requests name who sends them.
#[cfg(any(feature = "http", feature = "grpc"))]
const USER_AGENT: &str = concat!("OTel-OTLP-Exporter-zerospan/", env!("CARGO_PKG_VERSION"));
