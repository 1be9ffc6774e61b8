use super::export_response::ExportResponse;
use super::one_line::one_line;
use crate::error::{RetryHint, SendError, SendErrorKind};
use std::time::Duration;

/// The names of the codes, in the order of their numbers.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// Parses the message that a successful call over OTLP/gRPC returns.
///
/// A message that is malformed becomes the message of the response: the collector accepted the request all the same.
pub fn parse_grpc_response(message: &[u8]) -> ExportResponse {
    ExportResponse::decode(message).unwrap_or_else(|_| {
        ExportResponse::partial(0, "the status is a success, but the response is malformed")
    })
}

/// Returns the error for the code of a gRPC status, and for the delay in its `RetryInfo`, which
/// [`parse_retry_info`](super::parse_retry_info) reads.
///
/// `CANCELLED`, `DEADLINE_EXCEEDED`, `ABORTED`, `OUT_OF_RANGE`, `UNAVAILABLE` and `DATA_LOSS` are retried, as the OTLP
/// specification lists them, and `RESOURCE_EXHAUSTED` if there is a delay.
pub fn classify_grpc_code(code: i32, retry_info: Option<Duration>, message: &str) -> SendError {
    let name = usize::try_from(code).ok().and_then(|code| CODES.get(code));
    let collector_message = one_line(message.as_bytes());
    let message = *name.unwrap_or(&"UNKNOWN");
    let retry = retry_info.map_or(RetryHint::Backoff, RetryHint::After);
    let error = match code {
        4 => SendError::new(SendErrorKind::TimedOut, retry, message),
        1 | 10 | 11 | 14 | 15 => SendError::new(SendErrorKind::Unavailable, retry, message),
        8 if retry_info.is_some() => SendError::new(SendErrorKind::Unavailable, retry, message),
        _ => SendError::refused(message),
    };
    error.with_collector_message(collector_message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_of_the_specification_are_retried_and_no_other() {
        let listed = [
            "CANCELLED",
            "DEADLINE_EXCEEDED",
            "ABORTED",
            "OUT_OF_RANGE",
            "UNAVAILABLE",
            "DATA_LOSS",
        ];
        let delay = Duration::from_secs(1);
        for (number, name) in (0..).zip(CODES).skip(1) {
            let without = classify_grpc_code(number, None, "").retry;
            let with = classify_grpc_code(number, Some(delay), "").retry;
            let retried = listed.contains(&name);
            assert_eq!(without == RetryHint::Backoff, retried, "{name}");
            let informed = retried || name == "RESOURCE_EXHAUSTED";
            assert_eq!(with == RetryHint::After(delay), informed, "{name}");
        }
    }
}
