//! OTLP/HTTP with binary protobuf.

#[cfg(feature = "gzip")]
mod gzip;
mod transport;

pub(crate) use transport::HttpTransport;
