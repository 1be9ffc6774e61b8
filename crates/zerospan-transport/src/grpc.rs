//! OTLP/gRPC, through `tonic`.
//!
//! `transport` (the caller's side) → `thread` (the runtime) → `client` (calls) → `connect`, `status`, `codec`, `settings`,
//! `describe`.

mod client;
mod codec;
mod connect;
mod describe;
mod settings;
mod status;
mod thread;
mod transport;

pub(crate) use transport::GrpcTransport;
