//! What reads a collector's answers, for the fuzz targets: it is there only under `cfg(fuzzing)`, which `cargo fuzz` sets.

use crate::transport::{grpc, http};
use crate::{Accepted, SendError};
use tonic::{Code, Status};
use uri::{HeaderValue, StatusCode};

/// What OTLP/HTTP makes of an answer; `None` if no answer has such a status.
pub fn http_answer(
    status: u16,
    retry_after: Option<&[u8]>,
    body: &[u8],
    complete: bool,
) -> Option<Result<Accepted, SendError>> {
    let status = StatusCode::from_u16(status).ok()?;
    let retry_after = retry_after.and_then(|value| HeaderValue::from_bytes(value).ok());
    Some(http::judged(status, retry_after.as_ref(), body, complete))
}

/// What OTLP/gRPC makes of the message that a successful call returns.
pub fn grpc_answer(body: &[u8]) -> Accepted {
    grpc::taken(body)
}

/// What OTLP/gRPC makes of a call that the collector refuses.
pub fn grpc_refusal(code: i32, message: &str, details: &[u8]) -> SendError {
    let details = bytes::Bytes::copy_from_slice(details);
    grpc::failure(&Status::with_details(Code::from(code), message, details))
}
