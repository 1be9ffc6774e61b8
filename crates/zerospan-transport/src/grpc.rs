//! OTLP/gRPC, over HTTP/2 as `h2` implements it.
//!
//! `transport` (the caller's side) → `thread` (the runtime) → `client` (calls) → `connect` → `answer`, `stream`, `settings`, `describe`.

mod answer;
mod client;
mod connect;
mod describe;
mod settings;
mod stream;
mod thread;
mod transport;

pub(crate) use transport::GrpcTransport;
