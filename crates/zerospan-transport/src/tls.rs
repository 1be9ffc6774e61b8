//! TLS: certificates and keys, read and checked once.

#[cfg(not(feature = "tls"))]
mod disabled;
#[cfg(feature = "tls")]
mod material;
mod settings;

#[cfg(all(feature = "grpc", not(feature = "tls")))]
pub(crate) use disabled::GrpcTls;
#[cfg(not(feature = "tls"))]
pub(crate) use disabled::Tls;
#[cfg(all(feature = "grpc", feature = "tls"))]
pub(crate) use material::GrpcTls;
#[cfg(feature = "tls")]
pub(crate) use material::Tls;
pub(crate) use settings::{Source, TlsSettings};
