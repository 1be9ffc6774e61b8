//! The settings of a collector, from code and from the environment.

mod connector;
mod endpoint;
mod headers;
mod otlp_config;
mod protocol;
mod variables;

pub use connector::OtlpConnector;
pub use otlp_config::OtlpConfig;
pub use protocol::{Compression, Protocol};
