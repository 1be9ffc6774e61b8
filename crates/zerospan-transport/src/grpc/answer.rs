use crate::error::SendError;
use crate::response::{
    ExportResponse, MAX_RESPONSE_BYTES, classify_grpc_code, parse_grpc_response, parse_retry_after,
    parse_retry_info, too_long,
};
use h2::client::ResponseFuture;
use percent_encoding::percent_decode;
use uri::{HeaderMap, StatusCode, header};

/// The answer of a server.
pub(super) enum Answer {
    /// The status of the call, and the message with its prefix, which a failed call lacks.
    Status {
        head: HeaderMap,
        /// The trailers, which have the status unless the head does.
        trailers: Option<HeaderMap>,
        message: Vec<u8>,
    },
    /// The response of something that does not speak gRPC, such as a balancer.
    Http(StatusCode, HeaderMap),
    /// A message above the limit.
    TooLong,
}

/// The flag and the length before a message.
const PREFIX: usize = 5;

pub(super) async fn read_answer(response: ResponseFuture) -> Result<Answer, h2::Error> {
    let (head, mut body) = response.await?.into_parts();
    let headers = head.headers;
    if !headers.contains_key("grpc-status") {
        let is_grpc = headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"));
        if head.status != StatusCode::OK || !is_grpc {
            return Ok(Answer::Http(head.status, headers));
        }
    }
    let mut message = Vec::new();
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        if message.len() + data.len() > MAX_RESPONSE_BYTES + PREFIX {
            return Ok(Answer::TooLong);
        }
        message.extend_from_slice(&data);
        // A message says beforehand how long it is.
        if announced(&message).is_some_and(|len| len > MAX_RESPONSE_BYTES) {
            return Ok(Answer::TooLong);
        }
    }
    Ok(Answer::Status {
        trailers: body.trailers().await?,
        head: headers,
        message,
    })
}

impl Answer {
    pub(super) fn into_outcome(self) -> Result<ExportResponse, SendError> {
        match self {
            Self::TooLong => Err(too_long()),
            Self::Http(status, headers) => Err(of_http(status, &headers)),
            Self::Status {
                head,
                trailers,
                message,
            } => {
                let status = match &trailers {
                    Some(trailers) if trailers.contains_key("grpc-status") => trailers,
                    _ => &head,
                };
                of_status(status)?;
                of_message(&head, &message)
            }
        }
    }
}

/// Maps the response of something that does not speak gRPC, by gRPC's own table.
/// <https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md>
fn of_http(status: StatusCode, headers: &HeaderMap) -> SendError {
    let code = match status.as_u16() {
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502..=504 => 14,
        _ => 2,
    };
    let text = match status {
        StatusCode::OK => "the response is not gRPC's".to_owned(),
        status => format!("the response is HTTP's {status}, and not gRPC's"),
    };
    let retry_after = headers
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(parse_retry_after);
    explained(classify_grpc_code(code, retry_after, ""), &text)
}

/// Adds a reason to an error, in our own words.
pub(super) fn explained(mut error: SendError, why: &str) -> SendError {
    error.message = format!("{}: {why}", error.message);
    error
}

/// Returns the error that a status stands for, unless it is `OK`.
fn of_status(headers: &HeaderMap) -> Result<(), SendError> {
    let Some(code) = headers.get("grpc-status") else {
        let error = classify_grpc_code(2, None, "");
        return Err(explained(error, "the response ended without a status"));
    };
    let code = code.to_str().ok().and_then(|code| code.parse().ok());
    match code.unwrap_or(2) {
        0 => Ok(()),
        code => {
            let message = headers
                .get("grpc-message")
                .map_or(&[][..], |text| text.as_bytes());
            let message = percent_decode(message).decode_utf8_lossy();
            let delay = headers
                .get("grpc-status-details-bin")
                .and_then(|details| decode_base64(details.as_bytes()))
                .and_then(|details| parse_retry_info(&details));
            Err(classify_grpc_code(code, delay, &message))
        }
    }
}

/// Reads the message of a call that succeeded.
fn of_message(head: &HeaderMap, message: &[u8]) -> Result<ExportResponse, SendError> {
    let Some((prefix, payload)) = message.split_first_chunk::<PREFIX>() else {
        return Ok(unreadable("has no message"));
    };
    if announced(prefix) != Some(payload.len()) {
        return Ok(unreadable("is not one whole message"));
    }
    if prefix[0] == 0 {
        return Ok(parse_grpc_response(payload));
    }
    #[cfg(feature = "gzip")]
    if head.get("grpc-encoding").is_some_and(|name| name == "gzip") {
        use crate::gzip::{DecompressError, decompress};
        return match decompress(payload, MAX_RESPONSE_BYTES) {
            Ok(payload) => Ok(parse_grpc_response(&payload)),
            Err(DecompressError::TooLong) => Err(too_long()),
            Err(DecompressError::Malformed) => Ok(unreadable("is compressed and malformed")),
        };
    }
    let _ = head;
    Ok(unreadable("is compressed, which was not offered"))
}

/// Returns the length that the prefix of a message announces.
fn announced(message: &[u8]) -> Option<usize> {
    let (&[_, a, b, c, d], _) = message.split_first_chunk::<PREFIX>()?;
    usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()
}

/// Returns the response for a call that succeeded: its items were taken, whatever the message says.
fn unreadable(why: &str) -> ExportResponse {
    ExportResponse::partial(
        0,
        format!("the status is a success, but the response {why}"),
    )
}

/// Decodes base64, with or without padding, as gRPC encodes binary metadata.
fn decode_base64(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.trim_ascii();
    let end = text
        .iter()
        .rposition(|&byte| byte != b'=')
        .map_or(0, |last| last + 1);
    let (mut out, mut bits, mut held) = (Vec::with_capacity(end * 3 / 4), 0_u32, 0);
    for &byte in &text[..end] {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held & 0xff) as u8);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{RetryHint, SendErrorKind};

    #[test]
    fn base64_is_read_with_and_without_padding() {
        for (text, bytes) in [
            ("", &b""[..]),
            ("Zg==", b"f"),
            ("Zg", b"f"),
            ("Zm8=", b"fo"),
            ("Zm9v", b"foo"),
            ("+/+/", b"\xfb\xff\xbf"),
        ] {
            assert_eq!(
                decode_base64(text.as_bytes()).as_deref(),
                Some(bytes),
                "{text}"
            );
        }
        assert_eq!(decode_base64(b"Zm 9v"), None);
    }

    #[test]
    fn a_response_of_http_is_mapped_by_grpcs_table() {
        let unavailable = [429, 502, 503, 504];
        for status in 100..600 {
            let error = of_http(StatusCode::from_u16(status).unwrap(), &HeaderMap::new());
            let retried = error.retry == RetryHint::Backoff;
            assert_eq!(retried, unavailable.contains(&status), "{status}");
            let kind = match retried {
                true => SendErrorKind::Unavailable,
                false => SendErrorKind::Refused,
            };
            assert_eq!(error.kind, kind, "{status}");
        }
    }
}
