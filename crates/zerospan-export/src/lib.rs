#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod batch;
mod batch_config;
mod builder;
mod chunk;
mod core;
mod delivery;
mod error;
mod limits;
mod local;
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
mod wire;
mod worker;

pub use batch_config::BatchConfig;
pub use builder::PipelineBuilder;
pub use error::{FlushError, ShutdownError};
pub use pipeline::{Pipeline, StatsWatch};
pub use producer::Producer;
pub use retry::RetryPolicy;
pub use scope::Scope;
pub use stats::{DropCause, Dropped, ExportStats};
pub use zerospan_otlp::EncodedResource;
pub use zerospan_transport::{
    Compression, ConfigError, Connect, ExportResponse, FileTransport, InMemoryTransport,
    OtlpConfig, Protocol, Request, RetryHint, SendError, SendErrorKind, Signal, Transport,
};
