//! Responses of collectors: read within bounds, and classified as the OTLP specification asks.
//!
//! Needs neither HTTP nor gRPC: a user's own transport calls the same functions.

mod export_response;
mod grpc;
mod http;
mod json;
mod one_line;
mod status;

pub use export_response::ExportResponse;
pub use grpc::{classify_grpc_code, parse_grpc_response};
#[cfg(feature = "grpc")]
pub(crate) use http::too_long;
#[cfg(feature = "http")]
pub(crate) use http::unreadable;
pub use http::{classify_http_status, parse_http_response, parse_retry_after};
#[cfg(feature = "grpc")]
pub(crate) use one_line::one_line;
pub use status::parse_retry_info;

/// The number of bytes of a response that are read, as OTLP recommends: a longer one is an error, and is not retried.
pub const MAX_RESPONSE_BYTES: usize = 4 << 20;
