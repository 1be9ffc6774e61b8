#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

mod batch;
mod batch_config;
mod builder;
mod chunk;
mod core;
mod delivery;
mod error;
mod fork;
mod limits;
mod local;
mod memory;
mod pipeline;
mod retry;
mod scope;
mod slot;
mod state;
mod stats;
mod transport;
mod wire;
mod worker;

pub use batch_config::BatchConfig;
pub use builder::PipelineBuilder;
pub use error::{ConfigError, FlushError, ShutdownError};
pub use memory::InMemory;
pub use pipeline::Pipeline;
pub use retry::RetryPolicy;
pub use scope::Scope;
pub use stats::{DropCause, Dropped, ExportStats};
pub use transport::{Accepted, Connect, Request, Retry, SendError, Transport};
pub use zerospan_otlp::EncodedResource;
