//! Transports that a user writes, from the public parts of the crate.

use crate::collector::{Collector, Reply};
use crate::support::request;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use zerospan_transport::{
    Connect, ExportResponse, MAX_RESPONSE_BYTES, Protocol, Request, RetryHint, SendError,
    SendErrorKind, Transport, classify_grpc_code, parse_grpc_response, parse_http_response,
    parse_retry_info,
};

/// OTLP/HTTP by hand, with one connection for each request.
struct PlainHttp {
    address: SocketAddr,
}

impl PlainHttp {
    fn exchange(&self, request: &Request<'_>) -> io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect_timeout(&self.address, request.time_left())?;
        stream.set_read_timeout(Some(request.time_left()))?;
        write!(
            stream,
            "POST /{} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-protobuf\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            request.signal.path(),
            self.address,
            request.body.len()
        )?;
        io::copy(&mut request.body.reader(), &mut stream)?;
        stream.shutdown(std::net::Shutdown::Write)?;
        let mut response = Vec::new();
        stream
            .take(2 * MAX_RESPONSE_BYTES as u64)
            .read_to_end(&mut response)?;
        Ok(response)
    }
}

impl Transport for PlainHttp {
    fn send(&mut self, request: &Request<'_>) -> Result<ExportResponse, SendError> {
        let response = self
            .exchange(request)
            .map_err(|error| SendError::unreachable(error.to_string()))?;
        let end = response
            .windows(4)
            .position(|bytes| bytes == b"\r\n\r\n")
            .ok_or_else(|| SendError::unreachable("the response has no head"))?;
        let head = String::from_utf8_lossy(&response[..end]);
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .ok_or_else(|| SendError::unreachable("the response has no status"))?;
        let retry_after = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("retry-after").then_some(value)
        });
        parse_http_response(status, retry_after, &response[end + 4..])
    }
}

fn send(reply: Reply) -> Result<ExportResponse, SendError> {
    let collector = Collector::scripted(Protocol::HttpProtobuf, move |_| reply.clone());
    let address = collector.address;
    let connect = move || Ok(PlainHttp { address });
    connect.connect()?.send(&request())
}

#[test]
fn a_transport_written_by_hand_parses_and_classifies_as_the_built_in_one() {
    assert_eq!(send(Reply::Take), Ok(ExportResponse::ALL));
    assert_eq!(
        send(Reply::TakeBut(3)),
        Ok(ExportResponse::partial(3, "not those"))
    );
    let refused = send(Reply::Refuse).unwrap_err();
    assert_eq!(
        (refused.kind, refused.retry),
        (SendErrorKind::Refused, RetryHint::Never)
    );
    assert_eq!(refused.message, "400 Bad Request");
    assert_eq!(refused.collector_message.as_deref(), Some("malformed"));
    assert!(!refused.to_string().contains("malformed"), "{refused}");
    let wait = Some(Duration::from_secs(7));
    let busy = send(Reply::Busy {
        throttled: true,
        wait,
    });
    let busy = busy.unwrap_err();
    assert_eq!(busy.kind, SendErrorKind::Unavailable);
    assert_eq!(busy.retry, RetryHint::After(Duration::from_secs(7)));
}

#[test]
fn a_grpc_status_is_classified_without_the_built_in_transport() {
    let status = b"\x1a\x34\x0a\x28type.googleapis.com/google.rpc.RetryInfo\x12\x08\x0a\x06\x08\x02\x10\x80\x94\x01";
    let delay = parse_retry_info(status);
    assert!(delay.is_some_and(|delay| delay.as_secs() == 2), "{delay:?}");
    let error = classify_grpc_code(8, delay, "too\nfast");
    assert_eq!(error.message, "RESOURCE_EXHAUSTED");
    assert_eq!(error.collector_message.as_deref(), Some("too fast"));
    assert_eq!(error.retry, RetryHint::After(delay.unwrap()));
    assert_eq!(parse_grpc_response(b""), ExportResponse::ALL);
}
