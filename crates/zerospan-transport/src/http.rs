//! OTLP/HTTP with binary protobuf.

mod connect;
mod forward;
mod resolve;
mod transport;

pub(crate) use transport::HttpTransport;
