//! The drop-ins under the official SDK's provider.

mod drop_in;
mod grpc;
mod simple;
mod support;
