//! OTLP/gRPC.

mod codec;
mod transport;

pub(crate) use transport::GrpcTransport;
