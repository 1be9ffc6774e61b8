#[cfg(feature = "gzip")]
use super::gzip::Gzip;
use crate::error::SendError;
use crate::request::{Request, USER_AGENT};
use crate::response::{ExportResponse, MAX_RESPONSE_BYTES, parse_http_response, unreadable};
use crate::tls::Tls;
use crate::transport::Transport;
use std::io::Read;
use std::time::Duration;
use uri::{HeaderMap, HeaderValue, Method, Uri, header};

/// Sends requests through `ureq`.
pub(crate) struct HttpTransport {
    agent: ureq::Agent,
    uri: Uri,
    headers: HeaderMap,
    #[cfg(feature = "gzip")]
    gzip: Option<Gzip>,
}

impl HttpTransport {
    pub(crate) fn new(uri: Uri, own: &HeaderMap, gzip: bool, tls: &Tls) -> Self {
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
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_response_header_size(MAX_RESPONSE_BYTES)
            .max_idle_connections(1)
            .accept("application/x-protobuf");
        #[cfg(feature = "tls")]
        let config = match tls.for_ureq() {
            Some(tls) => config.tls_config(tls),
            None => config,
        };
        #[cfg(not(feature = "tls"))]
        let Tls = tls;
        Self {
            agent: config.build().new_agent(),
            uri,
            headers,
            #[cfg(feature = "gzip")]
            gzip,
        }
    }
}

impl Transport for HttpTransport {
    fn send(&mut self, request: &Request<'_>) -> Result<ExportResponse, SendError> {
        #[cfg(feature = "gzip")]
        let body = match &mut self.gzip {
            Some(gzip) => gzip.compress(request.body),
            None => request.body,
        };
        #[cfg(not(feature = "gzip"))]
        let body = request.body;

        let left = request.time_left();
        if left < Duration::from_millis(1) {
            return Err(SendError::timed_out("there was no time left to send"));
        }
        let mut http = uri::Request::new(body);
        *http.method_mut() = Method::POST;
        *http.uri_mut() = self.uri.clone();
        *http.headers_mut() = self.headers.clone();
        let http = self
            .agent
            .configure_request(http)
            .timeout_global(Some(left))
            .build();
        let mut response = self.agent.run(http).map_err(|error| no_response(&error))?;

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
