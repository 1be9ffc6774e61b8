//! Checks that any response over HTTP or gRPC is read as prost reads it, without nonsense in counts and messages.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message;
use std::time::Duration;
use tonic_types::pb;
use zerospan_transport::{
    ExportResponse, RetryHint, SendError, classify_grpc_code, parse_grpc_response,
    parse_http_response, parse_retry_info,
};

/// Bytes as they come, or a message that others have encoded.
#[derive(Arbitrary, Debug)]
struct Answer {
    status: u16,
    code: i32,
    retry_after: Option<Vec<u8>>,
    body: Body,
}

#[derive(Arbitrary, Debug)]
enum Body {
    Bytes(Vec<u8>),
    PartialSuccess {
        rejected_spans: i64,
        message: String,
    },
    Status {
        message: String,
        details: Vec<Detail>,
        rest: Vec<u8>,
    },
}

#[derive(Arbitrary, Debug)]
enum Detail {
    Delay { seconds: i64, nanos: i32 },
    NoDelay,
    Other { url: String, value: Vec<u8> },
}

const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";

impl Body {
    fn encode(&self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes.clone(),
            Self::PartialSuccess {
                rejected_spans,
                message,
            } => response(*rejected_spans, message).encode_to_vec(),
            Self::Status {
                message,
                details,
                rest,
            } => {
                let status = pb::Status {
                    code: 14,
                    message: message.clone(),
                    details: details.iter().map(Detail::any).collect(),
                };
                let mut bytes = status.encode_to_vec();
                bytes.extend_from_slice(rest);
                bytes
            }
        }
    }

    /// The delay that the body asks for; `None` if it is unknown.
    fn delay(&self) -> Option<Option<Duration>> {
        let Self::Status { details, rest, .. } = self else {
            return None;
        };
        // A detail that calls itself so may hold anything.
        let is_clear = |detail: &Detail| !matches!(detail, Detail::Other { url, .. } if url.ends_with("RetryInfo"));
        (rest.is_empty() && details.iter().all(is_clear))
            .then(|| details.iter().find_map(Detail::delay))
    }
}

impl Detail {
    fn any(&self) -> prost_types::Any {
        let (type_url, value) = match self {
            Self::Delay { seconds, nanos } => {
                let retry_delay = Some(prost_types::Duration {
                    seconds: *seconds,
                    nanos: *nanos,
                });
                (RETRY_INFO.to_owned(), pb::RetryInfo { retry_delay }.encode_to_vec())
            }
            Self::NoDelay => (RETRY_INFO.to_owned(), Vec::new()),
            Self::Other { url, value } => (url.clone(), value.clone()),
        };
        prost_types::Any { type_url, value }
    }

    fn delay(&self) -> Option<Duration> {
        match *self {
            Self::Delay { seconds, nanos } => Some(Duration::new(
                u64::try_from(seconds).unwrap_or(0),
                u32::try_from(nanos.clamp(0, 999_999_999)).unwrap_or(0),
            )),
            Self::NoDelay => Some(Duration::ZERO),
            Self::Other { .. } => None,
        }
    }
}

fn response(rejected_spans: i64, message: &str) -> ExportTraceServiceResponse {
    ExportTraceServiceResponse {
        partial_success: Some(ExportTracePartialSuccess {
            rejected_spans,
            error_message: message.to_owned(),
        }),
    }
}

fuzz_target!(|answer: Answer| {
    let body = answer.body.encode();
    let retry_after = answer.retry_after.as_deref();
    let retry_after = retry_after.and_then(|value| std::str::from_utf8(value).ok());
    match &parse_http_response(answer.status, retry_after, &body) {
        Ok(accepted) => {
            assert!((200..300).contains(&answer.status));
            fit_for_a_log(&accepted.message);
            same_as_prost(&body, accepted);
        }
        Err(refusal) if (200..300).contains(&answer.status) => {
            // A compressed body beyond the limit.
            assert_eq!(refusal.retry, RetryHint::Never);
        }
        Err(refusal) => {
            fit_for_a_log(&refusal.message);
            let tried_again = [429, 502, 503, 504].contains(&answer.status);
            assert_eq!(refusal.retry != RetryHint::Never, tried_again);
        }
    }
    let accepted = parse_grpc_response(&body);
    fit_for_a_log(&accepted.message);
    same_as_prost(&body, &accepted);

    let refusal = classify_grpc_code(answer.code, parse_retry_info(&body), "busy\u{7}");
    fit_for_a_log(&refusal.message);
    if let Some(delay) = answer.body.delay() {
        delay_is(&refusal, delay, answer.code);
    }
});

/// Compares with prost: a response that prost reads is read, except for groups.
fn same_as_prost(body: &[u8], ours: &ExportResponse) {
    let Ok(theirs) = ExportTraceServiceResponse::decode(body) else {
        return;
    };
    let partial = theirs.partial_success.unwrap_or_default();
    let is_none = ours.rejected_items == 0 && ours.message.contains("the response");
    if !is_none {
        let rejected = u64::try_from(partial.rejected_spans).unwrap_or(0);
        assert_eq!(ours.rejected_items, rejected);
        let text = partial.error_message.replace(char::is_control, " ");
        if text.len() <= 1024 {
            assert_eq!(ours.message, text);
        }
    }
}

fn delay_is(refusal: &SendError, delay: Option<Duration>, code: i32) {
    let expected = match (code, delay) {
        (1 | 4 | 10 | 11 | 14 | 15, None) => RetryHint::Backoff,
        (1 | 4 | 8 | 10 | 11 | 14 | 15, Some(delay)) => RetryHint::After(delay),
        _ => RetryHint::Never,
    };
    assert_eq!(refusal.retry, expected, "{code}");
}

/// Short, and on one line.
fn fit_for_a_log(message: &str) {
    assert!(!message.contains(char::is_control), "{message:?}");
    assert!(message.len() <= 4 << 10, "{} bytes", message.len());
}
