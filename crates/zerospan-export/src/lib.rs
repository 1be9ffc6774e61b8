#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod base;
mod batch;
mod delivery;
#[cfg(all(test, loom))]
mod models;
mod pipeline;
mod queue;
mod worker;

pub use base::batch_config::BatchConfig;
pub use base::error::{DeliveryError, FlushError, ShutdownError};
pub use base::retry_policy::RetryPolicy;
pub use base::scope::Scope;
pub use base::stats::{DropCause, DropCounts, ExportStats};
pub use pipeline::builder::PipelineBuilder;
pub use pipeline::producer::Producer;
pub use pipeline::{Pipeline, StatsWatch};
pub use zerospan_otlp::EncodedResource;
pub use zerospan_transport::{
    Body, Compression, ConfigError, Connect, ExportResponse, FileTransport, InMemoryTransport,
    OtlpConfig, Pieces, Protocol, Request, RetryHint, SendError, SendErrorKind, Signal, Transport,
};
