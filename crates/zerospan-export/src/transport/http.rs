use super::answer::{self, MAX_ANSWER};
#[cfg(feature = "gzip")]
use super::gzip::Gzip;
use super::tls::Tls;
use crate::config::Compression;
use crate::{Accepted, DropCause, Request, Retry, SendError, Transport};
use std::io::Read;
use std::time::{Duration, SystemTime};
use uri::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};

/// OTLP/HTTP with binary protobuf, through `ureq`.
pub(crate) struct Http {
    agent: ureq::Agent,
    uri: Uri,
    headers: HeaderMap,
    #[cfg(feature = "gzip")]
    gzip: Option<Gzip>,
}

impl Http {
    pub(crate) fn new(uri: Uri, own: &HeaderMap, compression: Compression, tls: &Tls) -> Self {
        let mut headers = own.clone();
        let user_agent = HeaderValue::from_static(crate::USER_AGENT);
        headers.entry(header::USER_AGENT).or_insert(user_agent);
        let protobuf = HeaderValue::from_static("application/x-protobuf");
        headers.insert(header::CONTENT_TYPE, protobuf);
        #[cfg(feature = "gzip")]
        let gzip = (compression == Compression::Gzip).then(|| {
            let gzip = HeaderValue::from_static("gzip");
            headers.insert(header::CONTENT_ENCODING, gzip);
            Gzip::new()
        });
        #[cfg(not(feature = "gzip"))]
        let Compression::None = compression;
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_response_header_size(MAX_ANSWER)
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

impl Transport for Http {
    fn send(&mut self, request: &Request<'_>) -> Result<Accepted, SendError> {
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
        let mut response = self.agent.run(http).map_err(|error| failure(&error))?;

        let status = response.status();
        let retry_after = response.headers().get(header::RETRY_AFTER).cloned();
        let mut text = Vec::new();
        // One byte beyond the bound tells an answer that is too long from one that fits.
        let read = response
            .body_mut()
            .with_config()
            .limit(MAX_ANSWER as u64 + 1)
            .reader()
            .read_to_end(&mut text);
        judged(status, retry_after.as_ref(), &text, read.is_ok())
    }
}

/// What an answer says, `complete` or cut off.
pub(crate) fn judged(
    status: StatusCode,
    retry_after: Option<&HeaderValue>,
    text: &[u8],
    complete: bool,
) -> Result<Accepted, SendError> {
    if status.is_success() {
        return Ok(taken(text, complete));
    }
    let what = match answer::status_message(text) {
        Some(message) => format!("{status}: {message}"),
        None => status.to_string(),
    };
    let wait = retry_after.and_then(|value| retry_after_delay(value.to_str().ok()?));
    Err(refusal(status, wait, what))
}

/// The collector took the request: an answer that makes no sense does not change that.
fn taken(text: &[u8], complete: bool) -> Accepted {
    if complete
        && text.len() <= MAX_ANSWER
        && let Ok(accepted) = answer::accepted(text)
    {
        return accepted;
    }
    let mut accepted = Accepted::ALL;
    accepted.message = format!(
        "the status says success, but the answer of {} bytes is none or too long",
        text.len()
    );
    accepted
}

/// Which statuses are tried again: 429, 502, 503 and 504, as the specification lists them.
fn refusal(status: StatusCode, wait: Option<Duration>, what: String) -> SendError {
    match status.as_u16() {
        429 | 502 | 503 | 504 => {
            let retry = wait.map_or(Retry::Backoff, Retry::After);
            SendError::new(DropCause::Unavailable, retry, what)
        }
        _ => SendError::refused(what),
    }
}

/// Seconds, or a date.
fn retry_after_delay(value: &str) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

/// There was no answer.
fn failure(error: &ureq::Error) -> SendError {
    match error {
        ureq::Error::Timeout(_) => SendError::timed_out(error.to_string()),
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => SendError::refused(error.to_string()),
        _ => SendError::unreachable(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(retry_after_delay(" 7 "), Some(Duration::from_secs(7)));
        let soon = SystemTime::now() + Duration::from_secs(90);
        let delay = retry_after_delay(&httpdate::fmt_http_date(soon)).unwrap_or_default();
        assert!((88..=90).contains(&delay.as_secs()), "{delay:?}");
        let past = retry_after_delay("Wed, 21 Oct 2015 07:28:00 GMT");
        assert_eq!(past, Some(Duration::ZERO));
        assert_eq!(retry_after_delay("soon"), None);
        assert_eq!(retry_after_delay("-1"), None);
    }

    #[test]
    fn four_statuses_are_tried_again_and_no_other() {
        for code in 100..600 {
            let Ok(status) = StatusCode::from_u16(code) else {
                continue;
            };
            let retried = refusal(status, None, String::new()).retry == Retry::Backoff;
            assert_eq!(retried, [429, 502, 503, 504].contains(&code), "{code}");
        }
    }
}
