use super::protocol::{Compression, Protocol};
use crate::error::{ConfigError, RetryHint, SendError, SendErrorKind};
#[cfg(feature = "grpc")]
use crate::grpc::GrpcTransport;
#[cfg(feature = "http")]
use crate::http::HttpTransport;
use crate::tls::Tls;
use crate::transport::{Connect, Transport};
use std::fmt;
use uri::{HeaderMap, Uri};

/// Connects to the collector of an [`OtlpConfig`](crate::OtlpConfig), whose settings are checked.
#[cfg_attr(not(any(feature = "http", feature = "grpc")), allow(dead_code))]
pub struct OtlpConnector {
    pub(super) protocol: Protocol,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) compression: Compression,
    pub(super) tls: Tls,
    /// Why the CA from the environment cannot be used: every request fails.
    pub(super) unusable_ca: Option<ConfigError>,
}

impl Connect for OtlpConnector {
    fn connect(&self) -> Result<Box<dyn Transport>, SendError> {
        if let Some(error) = &self.unusable_ca {
            return Err(SendError::new(
                SendErrorKind::Unreachable,
                RetryHint::Never,
                format!("cannot load the trust anchors: {error}"),
            ));
        }
        #[cfg(any(feature = "http", feature = "grpc"))]
        let gzip = self.compression == Compression::Gzip;
        match self.protocol {
            #[cfg(feature = "http")]
            Protocol::HttpProtobuf => Ok(Box::new(HttpTransport::new(
                self.uri.clone(),
                &self.headers,
                gzip,
                &self.tls,
            ))),
            #[cfg(feature = "grpc")]
            Protocol::Grpc => Ok(Box::new(GrpcTransport::new(
                &self.uri,
                &self.headers,
                gzip,
                &self.tls,
            )?)),
            #[cfg(not(all(feature = "http", feature = "grpc")))]
            other => Err(SendError::refused(format!(
                "the feature for {other} of zerospan-transport is off"
            ))),
        }
    }
}

/// Prints the names of the headers, and no values: they may be secrets.
impl fmt::Debug for OtlpConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtlpConnector")
            .field("protocol", &self.protocol)
            .field("uri", &self.uri)
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("compression", &self.compression)
            .finish_non_exhaustive()
    }
}
