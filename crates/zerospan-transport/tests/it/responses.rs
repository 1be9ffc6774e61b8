//! Responses of collectors, over each protocol.

use crate::collector::{Collector, Reply};
use crate::support::try_send;
use zerospan_transport::{ExportResponse, OtlpConfig, Protocol, RetryHint, SendErrorKind};

const BOTH: [Protocol; 2] = [Protocol::HttpProtobuf, Protocol::Grpc];

#[test]
fn a_response_beyond_four_mebibytes_is_an_error_that_is_not_retried() {
    for protocol in BOTH {
        let collector = Collector::scripted(protocol, |_| Reply::Endless);
        let error = try_send(&collector.config()).unwrap_err();
        let expected = (SendErrorKind::Unreachable, RetryHint::Never);
        assert_eq!((error.kind, error.retry), expected, "{protocol}: {error}");
        assert!(error.message.contains("longer than 4 MiB"), "{error}");
    }
}

#[test]
fn a_partial_success_with_a_long_explanation_is_counted() {
    for protocol in BOTH {
        for len in [100 << 10, 4 << 20] {
            // Both limits count what stands around the explanation.
            let len = len - 64;
            let collector = Collector::scripted(protocol, move |_| Reply::TakeButExplain(7, len));
            let response = try_send(&collector.config()).unwrap();
            assert_eq!(response.rejected_items, 7, "{protocol}: {len}");
            assert_eq!(response.message, "x".repeat(1 << 10));
        }
    }
}

#[test]
fn a_partial_success_in_json_is_counted() {
    let collector = Collector::scripted(Protocol::HttpProtobuf, |_| {
        Reply::Raw(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 72\r\n\r\n\
             {\"partialSuccess\":{\"rejectedSpans\":\"3\",\"errorMessage\":\"too old, sorry\"}}",
        )
    });
    let response = try_send(&collector.config());
    assert_eq!(response, Ok(ExportResponse::partial(3, "too old, sorry")));
}

#[test]
fn an_error_in_json_explains_itself() {
    let collector = Collector::scripted(Protocol::HttpProtobuf, |_| {
        Reply::Raw(
            "HTTP/1.1 400 Bad Request\r\nContent-Length: 28\r\n\r\n{\"code\":3,\"message\":\"no\\ta\"}",
        )
    });
    let error = try_send(&collector.config()).unwrap_err();
    assert_eq!(error.collector_message.as_deref(), Some("no a"), "{error}");
}

#[test]
fn a_server_that_finds_the_request_too_long_delivers_nothing() {
    // `tonic` servers say so in the words that its clients use for a response.
    let collector = Collector::start(Protocol::Grpc);
    let config: OtlpConfig = collector.config();
    let body = [b"\x0a\x80\x80\xc0\x02".to_vec(), long_resource(5 << 20)].concat();
    let error = crate::support::try_send_body(&config, &body).unwrap_err();
    // By its code, which OTLP retries.
    assert_eq!(error.kind, SendErrorKind::Unavailable, "{error}");
    let words = error.collector_message.unwrap_or_default();
    assert!(words.contains("length too large"), "{words}");
    assert_eq!(collector.requests().len(), 0);
}

/// Returns `len` bytes that a decoder may skip.
fn long_resource(len: usize) -> Vec<u8> {
    vec![0; len]
}
