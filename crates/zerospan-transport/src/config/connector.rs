use super::endpoint::Destination;
use super::protocol::Compression;
#[cfg(not(all(feature = "http", feature = "grpc")))]
use super::protocol::Protocol;
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
use uri::HeaderMap;

/// Connects to the collector of an [`OtlpConfig`](crate::OtlpConfig), whose settings are checked.
#[cfg_attr(not(any(feature = "http", feature = "grpc")), allow(dead_code))]
pub struct OtlpConnector {
    pub(super) destination: Destination,
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
        let transport: Box<dyn Transport> = match &self.destination {
            #[cfg(feature = "http")]
            Destination::Url(url) => Box::new(HttpTransport::new(
                url.clone(),
                &self.headers,
                gzip,
                &self.tls,
                self.proxy.as_ref(),
            )?),
            #[cfg(feature = "grpc")]
            Destination::Server(target) => {
                Box::new(GrpcTransport::new(target, &self.headers, gzip, &self.tls)?)
            }
            #[cfg(not(feature = "http"))]
            Destination::Url(_) => return Err(missing(Protocol::HttpProtobuf)),
            #[cfg(not(feature = "grpc"))]
            Destination::Server(_) => return Err(missing(Protocol::Grpc)),
        };
        Ok(Box::new(Addressed {
            transport,
            address: match &self.proxy {
                Some(proxy) => format!("{} through the proxy {}", self.destination, proxy.uri),
                None => self.destination.to_string(),
            },
        }))
    }
}

#[cfg(not(all(feature = "http", feature = "grpc")))]
fn missing(protocol: Protocol) -> SendError {
    SendError::refused(format!(
        "the feature for {protocol} of zerospan or zerospan-transport is off"
    ))
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
            .field("destination", &self.destination.to_string())
            .field("is_secure", &self.destination.is_secure())
            .field("headers", &self.headers.len())
            .field("compression", &self.compression)
            .finish_non_exhaustive()
    }
}
