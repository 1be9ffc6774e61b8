//! TLS: certificates and keys, read and checked once.

#[cfg(not(feature = "tls"))]
mod disabled;
#[cfg(feature = "tls")]
mod material;
mod settings;

#[cfg(not(feature = "tls"))]
pub(crate) use disabled::Tls;
#[cfg(feature = "tls")]
pub(crate) use material::Tls;
pub(crate) use settings::{Source, TlsSettings};
