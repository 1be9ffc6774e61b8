//! OTLP/HTTP with binary protobuf.

mod connect;
mod forward;
#[cfg(feature = "gzip")]
mod gzip;
mod resolve;
mod transport;

pub(crate) use transport::HttpTransport;
