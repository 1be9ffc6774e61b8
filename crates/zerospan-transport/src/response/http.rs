use super::export_response::ExportResponse;
use super::status::protobuf_message;
use super::{MAX_RESPONSE_BYTES, json};
use crate::error::{RetryHint, SendError, SendErrorKind};
use std::borrow::Cow;
use std::time::{Duration, SystemTime};
use uri::StatusCode;

/// Parses the response to a request over OTLP/HTTP: `status`, the value of the header `Retry-After`, and the body.
///
/// The body is protobuf, or JSON if it begins with `{`, and compressed with gzip if it begins as gzip does, with the feature
/// `gzip`. A body of a success that cannot be parsed becomes the message of the response: the collector accepted the request
/// all the same.
///
/// # Errors
///
/// [`SendError`] for every status but 2xx, as [`classify_http_status`] classifies it, and for a success with a body above
/// [`MAX_RESPONSE_BYTES`], decompressed or not: it is not retried, as OTLP asks.
pub fn parse_http_response(
    status: u16,
    retry_after: Option<&str>,
    body: &[u8],
) -> Result<ExportResponse, SendError> {
    let is_success = (200..300).contains(&status);
    if is_success && body.len() > MAX_RESPONSE_BYTES {
        return Err(too_long());
    }
    let body = match decompressed(body) {
        Ok(body) => body,
        Err(error) if is_success => return Err(error),
        Err(_) => Cow::Borrowed(body),
    };
    if is_success {
        return Ok(parse_success(&body));
    }
    let status_line = StatusCode::from_u16(status)
        .map_or_else(|_| status.to_string(), |status| status.to_string());
    let delay = retry_after.and_then(parse_retry_after);
    let error = classify_http_status(status, delay, status_line);
    Err(error.with_collector_message(status_message(&body).unwrap_or_default()))
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
    let response = match json::is_json(body) {
        true => json::export_response(body),
        false => ExportResponse::decode(body).ok(),
    };
    response.unwrap_or_else(|| unreadable(body.len()))
}

fn status_message(body: &[u8]) -> Option<String> {
    match json::is_json(body) {
        true => json::status_message(body),
        false => protobuf_message(body),
    }
}

/// Decompresses a body that begins as gzip does, which no message of OTLP does.
fn decompressed(body: &[u8]) -> Result<Cow<'_, [u8]>, SendError> {
    #[cfg(feature = "gzip")]
    if body.starts_with(&[0x1f, 0x8b]) {
        use crate::gzip::{DecompressError, decompress};
        return match decompress(body, MAX_RESPONSE_BYTES) {
            Ok(body) => Ok(Cow::Owned(body)),
            Err(DecompressError::TooLong) => Err(too_long()),
            Err(DecompressError::Malformed) => Ok(Cow::Borrowed(body)),
        };
    }
    Ok(Cow::Borrowed(body))
}

/// Returns the error for a response above the limit.
pub(crate) fn too_long() -> SendError {
    let message = format!(
        "the response is longer than {} MiB",
        MAX_RESPONSE_BYTES >> 20
    );
    SendError::new(SendErrorKind::Unreachable, RetryHint::Never, message)
}

/// Returns the response for a success whose body of `len` bytes is malformed or cut off.
pub(crate) fn unreadable(len: usize) -> ExportResponse {
    ExportResponse::partial(
        0,
        format!(
            "the status is a success, but the response body of {len} bytes is malformed or cut off"
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
    #[cfg(feature = "gzip")]
    fn a_compressed_body_is_read_within_the_limit() {
        let mut gzip = crate::gzip::Gzip::new();
        let partial = b"\x0a\x07\x08\x05\x12\x03bad";
        let response = parse_http_response(200, None, gzip.compress(partial.into()));
        assert_eq!(response, Ok(ExportResponse::partial(5, "bad")));
        let bomb = gzip
            .compress((&vec![0; MAX_RESPONSE_BYTES + 1]).into())
            .to_vec();
        let error = parse_http_response(200, None, &bomb).unwrap_err();
        assert_eq!(error.retry, RetryHint::Never);
        // A status that asks for another attempt does so whatever its body is.
        let error = parse_http_response(503, None, &bomb).unwrap_err();
        assert_eq!(error.retry, RetryHint::Backoff);
        assert!(parse_http_response(200, None, &bomb[..100]).is_ok());
    }

    #[test]
    fn four_statuses_are_retried_and_no_other() {
        for status in 100..600 {
            let retried = classify_http_status(status, None, "").retry == RetryHint::Backoff;
            assert_eq!(retried, [429, 502, 503, 504].contains(&status), "{status}");
        }
    }
}
