use super::protocol::{Compression, Protocol};
use crate::error::{ConfigError, RetryHint, SendError, SendErrorKind};
#[cfg(feature = "grpc")]
use crate::grpc::GrpcTransport;
#[cfg(feature = "http")]
use crate::http::HttpTransport;
use crate::proxy::Proxy;
use crate::request::Request;
use crate::response::ExportResponse;
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
    pub(super) proxy: Option<Proxy>,
    /// Why nothing may be sent: the endpoint, the CA or the proxy from the environment cannot be used.
    pub(super) unusable: Option<ConfigError>,
}

impl Connect for OtlpConnector {
    #[cfg_attr(
        not(any(feature = "http", feature = "grpc")),
        allow(unreachable_code, unused_variables)
    )]
    fn connect(&self) -> Result<Box<dyn Transport>, SendError> {
        if let Some(error) = &self.unusable {
            return Err(SendError::new(
                SendErrorKind::Unreachable,
                RetryHint::Never,
                error.to_string(),
            ));
        }
        #[cfg(any(feature = "http", feature = "grpc"))]
        let gzip = self.compression == Compression::Gzip;
        let transport: Box<dyn Transport> = match self.protocol {
            #[cfg(feature = "http")]
            Protocol::HttpProtobuf => Box::new(HttpTransport::new(
                self.uri.clone(),
                &self.headers,
                gzip,
                &self.tls,
                self.proxy.as_ref(),
            )?),
            #[cfg(feature = "grpc")]
            Protocol::Grpc => Box::new(GrpcTransport::new(
                &self.uri,
                &self.headers,
                gzip,
                &self.tls,
            )?),
            #[cfg(not(all(feature = "http", feature = "grpc")))]
            other => {
                return Err(SendError::refused(format!(
                    "the feature for {other} of zerospan-transport is off"
                )));
            }
        };
        Ok(Box::new(Addressed {
            transport,
            address: match &self.proxy {
                Some(proxy) => format!("{} through the proxy {}", shown(&self.uri), proxy.uri),
                None => shown(&self.uri),
            },
        }))
    }
}

/// Returns the URL for messages, without its query, which may hold a key.
fn shown(uri: &Uri) -> String {
    let text = uri.to_string();
    let end = text.find('?').unwrap_or(text.len());
    text[..end].to_owned()
}

/// Prefixes each error with the address that the request was sent to.
struct Addressed {
    transport: Box<dyn Transport>,
    address: String,
}

impl Transport for Addressed {
    fn send(&mut self, request: &Request<'_>) -> Result<ExportResponse, SendError> {
        self.transport.send(request).map_err(|mut error| {
            error.message = format!("{}: {}", self.address, error.message);
            error
        })
    }
}

/// Prints the number of headers: names and values may be secrets.
impl fmt::Debug for OtlpConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtlpConnector")
            .field("protocol", &self.protocol)
            .field("uri", &shown(&self.uri))
            .field("headers", &self.headers.len())
            .field("compression", &self.compression)
            .finish_non_exhaustive()
    }
}
