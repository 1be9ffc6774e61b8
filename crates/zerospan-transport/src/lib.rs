#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod body;
mod config;
#[doc(hidden)]
pub mod env;
mod error;
mod file;
#[cfg(feature = "grpc")]
mod grpc;
#[cfg(feature = "gzip")]
mod gzip;
#[cfg(feature = "http")]
mod http;
mod memory;
mod proxy;
mod request;
mod response;
mod signal;
mod target;
mod tls;
mod transport;

pub use body::{Body, Pieces};
pub use config::{Compression, OtlpConfig, OtlpConnector, Protocol};
pub use error::{ConfigError, RetryHint, SendError, SendErrorKind};
pub use file::FileTransport;
pub use memory::InMemoryTransport;
pub use request::Request;
pub use response::{
    ExportResponse, MAX_RESPONSE_BYTES, classify_grpc_code, classify_http_status,
    parse_grpc_response, parse_http_response, parse_retry_after, parse_retry_info,
};
pub use signal::{BatchDefaults, Signal};
pub use transport::{Connect, Transport};
