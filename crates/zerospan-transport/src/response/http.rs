use super::MAX_RESPONSE_BYTES;
use super::export_response::ExportResponse;
use super::status::status_message;
use crate::error::{RetryHint, SendError, SendErrorKind};
use std::time::{Duration, SystemTime};
use uri::StatusCode;

/// Parses the response to a request over OTLP/HTTP: `status`, the value of the header `Retry-After`, and the body.
///
/// A body of a success that cannot be parsed, or that is longer than [`MAX_RESPONSE_BYTES`], becomes the message of the
/// response: the collector accepted the request all the same.
///
/// # Errors
///
/// [`SendError`] for every status but 2xx, as [`classify_http_status`] classifies it.
pub fn parse_http_response(
    status: u16,
    retry_after: Option<&str>,
    body: &[u8],
) -> Result<ExportResponse, SendError> {
    if (200..300).contains(&status) {
        return Ok(parse_success(body));
    }
    let status_line = StatusCode::from_u16(status)
        .map_or_else(|_| status.to_string(), |status| status.to_string());
    let delay = retry_after.and_then(parse_retry_after);
    let error = classify_http_status(status, delay, status_line);
    Err(error.with_collector_message(status_message(body).unwrap_or_default()))
}

/// Returns the error for an HTTP status: 429, 502, 503 and 504 are retried, as the OTLP specification lists them.
pub fn classify_http_status(
    status: u16,
    retry_after: Option<Duration>,
    message: impl Into<String>,
) -> SendError {
    match status {
        429 | 502 | 503 | 504 => {
            let retry = retry_after.map_or(RetryHint::Backoff, RetryHint::After);
            SendError::new(SendErrorKind::Unavailable, retry, message)
        }
        _ => SendError::refused(message),
    }
}

/// Parses the value of the header `Retry-After`: a number of seconds, or a date. A date in the past is a delay of zero.
pub fn parse_retry_after(value: &str) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

fn parse_success(body: &[u8]) -> ExportResponse {
    if body.len() <= MAX_RESPONSE_BYTES
        && let Ok(response) = ExportResponse::decode(body)
    {
        return response;
    }
    unreadable(body.len())
}

/// Returns the response for a success whose body of `len` bytes is malformed, cut off or too long.
pub(crate) fn unreadable(len: usize) -> ExportResponse {
    ExportResponse::partial(
        0,
        format!(
            "the status is a success, but the response body of {len} bytes is malformed or too long"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(parse_retry_after(" 7 "), Some(Duration::from_secs(7)));
        let soon = SystemTime::now() + Duration::from_secs(90);
        let delay = parse_retry_after(&httpdate::fmt_http_date(soon)).unwrap_or_default();
        assert!((88..=90).contains(&delay.as_secs()), "{delay:?}");
        let past = parse_retry_after("Wed, 21 Oct 2015 07:28:00 GMT");
        assert_eq!(past, Some(Duration::ZERO));
        assert_eq!(parse_retry_after("soon"), None);
        assert_eq!(parse_retry_after("-1"), None);
    }

    #[test]
    fn four_statuses_are_retried_and_no_other() {
        for status in 100..600 {
            let retried = classify_http_status(status, None, "").retry == RetryHint::Backoff;
            assert_eq!(retried, [429, 502, 503, 504].contains(&status), "{status}");
        }
    }
}
