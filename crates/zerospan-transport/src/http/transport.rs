use super::connect::TcpByName;
use super::kept::Requests;
use super::resolve::{Addresses, Later};
use crate::body::Body;
use crate::error::SendError;
#[cfg(feature = "gzip")]
use crate::gzip::Gzip;
use crate::proxy::Proxy;
use crate::request::{Request, USER_AGENT};
use crate::response::{ExportResponse, MAX_RESPONSE_BYTES, parse_http_response, unreadable};
use crate::tls::Tls;
use crate::transport::Transport;
use std::io::Read;
use std::time::Duration;
use ureq::http::Response;
#[cfg(feature = "tls")]
use ureq::unversioned::transport::RustlsConnector;
use ureq::unversioned::transport::{ConnectProxyConnector, Connector};
use ureq::{Agent, SendBody};
use uri::{HeaderMap, HeaderValue, Method, Uri, header};

/// The number of bytes of a response's head that are read.
const MAX_HEADER_BYTES: usize = 64 << 10;

/// Sends requests through `ureq`.
pub(crate) struct HttpTransport {
    agent: Agent,
    uri: Uri,
    headers: HeaderMap,
    requests: Requests,
    #[cfg(feature = "gzip")]
    gzip: Option<Gzip>,
}

impl HttpTransport {
    pub(crate) fn new(
        uri: Uri,
        own: &HeaderMap,
        gzip: bool,
        tls: &Tls,
        proxy: Option<&Proxy>,
    ) -> Result<Self, SendError> {
        let mut headers = own.clone();
        let user_agent = HeaderValue::from_static(USER_AGENT);
        headers.entry(header::USER_AGENT).or_insert(user_agent);
        let protobuf = HeaderValue::from_static("application/x-protobuf");
        headers.insert(header::CONTENT_TYPE, protobuf);
        #[cfg(feature = "gzip")]
        let gzip = gzip.then(|| {
            let gzip = HeaderValue::from_static("gzip");
            headers.insert(header::CONTENT_ENCODING, gzip);
            Gzip::new()
        });
        #[cfg(not(feature = "gzip"))]
        let _ = gzip;
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_response_header_size(MAX_HEADER_BYTES)
            .max_idle_connections(1)
            .user_agent(USER_AGENT)
            .accept("application/x-protobuf");
        // Requests over `https` go through a tunnel, others are forwarded.
        let is_secure = uri.scheme_str() == Some("https");
        let tunnel = proxy.filter(|_| is_secure).map(Proxy::for_ureq);
        let config = config.proxy(tunnel.transpose().map_err(|error| no_response(&error))?);
        let forward = proxy.filter(|_| !is_secure);
        if let Some(value) = forward.and_then(|proxy| proxy.authorization.clone()) {
            headers.insert(header::PROXY_AUTHORIZATION, value);
        }
        let requests = Requests::default();
        let tcp = TcpByName::new(Addresses::new(), forward.cloned(), requests.clone());
        let connector = ().chain(ConnectProxyConnector::default()).chain(tcp);
        #[cfg(feature = "tls")]
        let config = match tls.for_ureq() {
            Some(tls) => config.tls_config(tls),
            None => config,
        };
        #[cfg(feature = "tls")]
        let connector = connector.chain(RustlsConnector::default());
        #[cfg(not(feature = "tls"))]
        let Tls = tls;
        Ok(Self {
            agent: Agent::with_parts(config.build(), connector, Later),
            uri,
            headers,
            requests,
            #[cfg(feature = "gzip")]
            gzip,
        })
    }
}

/// Sends a request once.
fn run(
    agent: &Agent,
    uri: &Uri,
    headers: &HeaderMap,
    body: Body<'_>,
    time_left: Duration,
) -> Result<Response<ureq::Body>, ureq::Error> {
    let mut reader = body.reader();
    let mut http = uri::Request::new(SendBody::from_reader(&mut reader));
    *http.method_mut() = Method::POST;
    *http.uri_mut() = uri.clone();
    *http.headers_mut() = headers.clone();
    http.headers_mut()
        .insert(header::CONTENT_LENGTH, body.len().into());
    let http = agent.configure_request(http);
    agent.run(http.timeout_global(Some(time_left)).build())
}

impl Transport for HttpTransport {
    fn send(&mut self, request: &Request<'_>) -> Result<ExportResponse, SendError> {
        #[cfg(feature = "gzip")]
        let body = match &mut self.gzip {
            Some(gzip) => gzip.compress(request.body).into(),
            None => request.body,
        };
        #[cfg(not(feature = "gzip"))]
        let body = request.body;

        let left = request.time_left();
        if left < Duration::from_millis(1) {
            return Err(SendError::timed_out("there was no time left to send"));
        }
        let start = self.requests.begin(left);
        let mut outcome = run(&self.agent, &self.uri, &self.headers, body, left);
        if self.requests.end(start, outcome.is_ok()) {
            // The kept connection was dead. `ureq` has dropped it, and keeps no other.
            let left = request.time_left();
            let start = self.requests.begin(left);
            outcome = run(&self.agent, &self.uri, &self.headers, body, left);
            self.requests.end(start, outcome.is_ok());
        }
        let mut response = outcome.map_err(|error| no_response(&error))?;

        let status = response.status().as_u16();
        let retry_after = response.headers().get(header::RETRY_AFTER).cloned();
        let retry_after = retry_after.as_ref().and_then(|value| value.to_str().ok());
        let mut text = Vec::new();
        // One byte beyond the bound distinguishes a body that is too long from one that fits.
        let read = response
            .body_mut()
            .with_config()
            .limit(MAX_RESPONSE_BYTES as u64 + 1)
            .reader()
            .read_to_end(&mut text);
        match parse_http_response(status, retry_after, &text) {
            // The beginning of a body may look like a whole one.
            Ok(_) if read.is_err() => Ok(unreadable(text.len())),
            outcome => outcome,
        }
    }
}

/// Returns the error of an attempt that got no response.
fn no_response(error: &ureq::Error) -> SendError {
    match error {
        ureq::Error::Timeout(_) => SendError::timed_out(error.to_string()),
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => SendError::refused(error.to_string()),
        _ => SendError::unreachable(error.to_string()),
    }
}
