//! OTLP/HTTP with binary protobuf.

mod connect;
mod forward;
mod kept;
mod resolve;
mod transport;

pub(crate) use transport::HttpTransport;
