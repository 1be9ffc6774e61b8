//! Answers of a gRPC server, or of something before it, below the level of gRPC.

use crate::support::{BRIEF, LONG, request};
use bytes::Bytes;
use h2::Reason;
use h2::server::{Connection, SendResponse};
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use uri::{HeaderMap, HeaderName, HeaderValue, Response};
use zerospan_transport::{
    Compression, Connect, ExportResponse, OtlpConfig, Protocol, Request, RetryHint, SendError,
    SendErrorKind, Signal, Transport,
};

/// The behaviour of a server for one request.
#[derive(Clone)]
enum Does {
    /// Responds with a status, headers, a body and trailers.
    Respond(
        u16,
        Vec<(&'static str, String)>,
        Vec<u8>,
        Vec<(&'static str, String)>,
    ),
    Reset(Reason),
    /// Ends the connection, without a word about the request.
    GoAway,
    /// Takes it, and closes the connection in good order.
    TakeAndClose,
    /// Sends headers, and nothing after them.
    HeadersOnly,
    /// Sends a byte of its body now and then.
    Drip,
    /// Ends the stream without trailers.
    NoTrailers,
}

/// A server of HTTP/2 that does what `tonic` does not.
struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    /// The number of connections that have ended.
    ended: Arc<AtomicUsize>,
    _runtime: Runtime,
}

type Doing = Arc<dyn Fn(usize) -> Does + Send + Sync>;

impl Server {
    fn start(does: impl Fn(usize) -> Does + Send + Sync + 'static) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let ended = Arc::new(AtomicUsize::new(0));
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .unwrap();
        let address = listener.local_addr().unwrap();
        let does: Doing = Arc::new(does);
        runtime.spawn({
            let (connections, ended) = (Arc::clone(&connections), Arc::clone(&ended));
            let calls = Arc::new(AtomicUsize::new(0));
            async move {
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    connections.fetch_add(1, Ordering::SeqCst);
                    let conversation = converse(stream, Arc::clone(&does), Arc::clone(&calls));
                    let ended = Arc::clone(&ended);
                    tokio::spawn(async move {
                        conversation.await;
                        ended.fetch_add(1, Ordering::SeqCst);
                    });
                }
            }
        });
        Self {
            address,
            connections,
            ended,
            _runtime: runtime,
        }
    }

    fn always(does: Does) -> Self {
        Self::start(move |_| does.clone())
    }

    fn transport(&self) -> Box<dyn Transport> {
        self.transport_with(Compression::None)
    }

    fn transport_with(&self, compression: Compression) -> Box<dyn Transport> {
        let config = OtlpConfig::new()
            .with_protocol(Protocol::Grpc)
            .with_compression(compression)
            .with_endpoint(format!("http://{}", self.address));
        config.connector(Signal::Traces).unwrap().connect().unwrap()
    }

    fn send(&self) -> Result<ExportResponse, SendError> {
        self.transport().send(&request())
    }
}

async fn converse(stream: TcpStream, does: Doing, calls: Arc<AtomicUsize>) {
    let mut connection: Connection<TcpStream, Bytes> = h2::server::handshake(stream).await.unwrap();
    while let Some(Ok((request, respond))) = connection.accept().await {
        let does = does(calls.fetch_add(1, Ordering::SeqCst));
        match does {
            Does::GoAway => {
                connection.abrupt_shutdown(Reason::NO_ERROR);
                continue;
            }
            Does::TakeAndClose => connection.graceful_shutdown(),
            _ => {}
        }
        tokio::spawn(async move {
            let mut body = request.into_body();
            while let Some(Ok(data)) = body.data().await {
                let _ = body.flow_control().release_capacity(data.len());
            }
            answer(does, respond).await;
        });
    }
}

fn answer(
    does: Does,
    mut respond: SendResponse<Bytes>,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    let head = |status: u16, headers: &[(&'static str, String)]| {
        let mut response = Response::new(());
        *response.status_mut() = status.try_into().unwrap();
        *response.headers_mut() = map(headers);
        response
    };
    let grpc = move || head(200, &[("content-type", "application/grpc".to_owned())]);
    Box::pin(async move {
        match does {
            Does::Respond(status, headers, body, trailers) => {
                let head = head(status, &headers);
                if body.is_empty() && trailers.is_empty() {
                    respond.send_response(head, true).unwrap();
                    return;
                }
                let mut stream = respond.send_response(head, false).unwrap();
                stream.send_data(body.into(), trailers.is_empty()).unwrap();
                if !trailers.is_empty() {
                    stream.send_trailers(map(&trailers)).unwrap();
                }
            }
            Does::Reset(reason) => respond.send_reset(reason),
            Does::TakeAndClose => {
                let mut stream = respond.send_response(grpc(), false).unwrap();
                stream
                    .send_data(Bytes::from_static(&[0; 5]), false)
                    .unwrap();
                stream.send_trailers(map(&ok())).unwrap();
            }
            Does::HeadersOnly => {
                let _stream = respond.send_response(grpc(), false).unwrap();
                std::future::pending::<()>().await;
            }
            Does::Drip => {
                let mut stream = respond.send_response(grpc(), false).unwrap();
                while stream.send_data(Bytes::from_static(&[0]), false).is_ok() {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
            Does::NoTrailers => {
                let mut stream = respond.send_response(grpc(), false).unwrap();
                stream.send_data(Bytes::from_static(&[0; 5]), true).unwrap();
            }
            Does::GoAway => unreachable!("handled above"),
        }
    })
}

fn map(headers: &[(&'static str, String)]) -> HeaderMap {
    let pair = |(name, value): &(&'static str, String)| {
        (
            HeaderName::from_static(name),
            HeaderValue::try_from(value).unwrap(),
        )
    };
    headers.iter().map(pair).collect()
}

fn ok() -> Vec<(&'static str, String)> {
    vec![("grpc-status", "0".to_owned())]
}

fn html(status: u16) -> Does {
    let headers = vec![("content-type", "text/html".to_owned())];
    Does::Respond(
        status,
        headers,
        b"<html>Bad Gateway</html>".to_vec(),
        Vec::new(),
    )
}

/// A response with one message, as it is or compressed.
fn message(flag: u8, encoding: &str, message: &[u8]) -> Does {
    let headers = vec![
        ("content-type", "application/grpc+proto".to_owned()),
        ("grpc-encoding", encoding.to_owned()),
    ];
    let len = u32::try_from(message.len()).unwrap().to_be_bytes();
    Does::Respond(200, headers, [&[flag], &len[..], message].concat(), ok())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_page_of_a_balancer_is_unavailable_and_tried_again() {
    for status in [429, 502, 503, 504] {
        let error = Server::always(html(status)).send().unwrap_err();
        let expected = (SendErrorKind::Unavailable, RetryHint::Backoff);
        assert_eq!((error.kind, error.retry), expected, "{error}");
        assert!(error.message.contains(&status.to_string()), "{error}");
    }
    for status in [200, 301, 307, 400, 401, 403, 404, 500] {
        let error = Server::always(html(status)).send().unwrap_err();
        let expected = (SendErrorKind::Refused, RetryHint::Never);
        assert_eq!((error.kind, error.retry), expected, "{status}: {error}");
    }
    let headers = vec![("retry-after", "7".to_owned())];
    let error = Server::always(Does::Respond(503, headers, Vec::new(), Vec::new())).send();
    assert_eq!(
        error.unwrap_err().retry,
        RetryHint::After(Duration::from_secs(7))
    );
}

#[test]
fn pages_of_a_balancer_do_not_fill_the_connection() {
    let server = Server::start(|call| match call {
        0..12 => Does::Respond(503, Vec::new(), vec![b'x'; 30 << 10], Vec::new()),
        _ => message(0, "identity", &[]),
    });
    let mut transport = server.transport();
    for _ in 0..12 {
        transport.send(&request()).unwrap_err();
    }
    transport.send(&request()).unwrap();
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
}

#[test]
fn a_status_in_the_headers_alone_is_read() {
    let only = |code: &str, message: &str| {
        let headers = vec![
            ("content-type", "application/grpc".to_owned()),
            ("grpc-status", code.to_owned()),
            ("grpc-message", message.to_owned()),
        ];
        Server::always(Does::Respond(200, headers, Vec::new(), Vec::new())).send()
    };
    let error = only("14", "later%20%C3%A9").unwrap_err();
    assert_eq!(error.kind, SendErrorKind::Unavailable);
    assert_eq!(
        error.collector_message.as_deref(),
        Some("later é"),
        "{error}"
    );
    // The words of a client's own error, in the mouth of a server.
    let error = only("11", "decoded message length too large").unwrap_err();
    assert_eq!(error.retry, RetryHint::Backoff);
    let error = only("8", "decoded message length too large").unwrap_err();
    assert_eq!(error.retry, RetryHint::Never);
    assert!(only("nonsense", "").is_err());
}

#[test]
fn a_compressed_response_is_read_within_the_limit() {
    let send = |does: Does| {
        let server = Server::always(does);
        server.transport_with(Compression::Gzip).send(&request())
    };
    let partial = b"\x0a\x07\x08\x05\x12\x03bad";
    let response = send(message(1, "gzip", &gzip(partial)));
    assert_eq!(response, Ok(ExportResponse::partial(5, "bad")));
    let response = send(message(0, "gzip", partial));
    assert_eq!(response, Ok(ExportResponse::partial(5, "bad")));
    let bomb = gzip(&vec![0; 64 << 20]);
    for (encoding, bytes, why) in [
        ("gzip", &bomb[..], "4 MiB"),
        ("zstd", b"x", "zstd"),
        ("gzip", b"no gzip", "decompress"),
    ] {
        let error = send(message(1, encoding, bytes)).unwrap_err();
        assert_eq!(error.retry, RetryHint::Never, "{error}");
        assert!(error.message.contains(why), "{error}");
    }
}

#[test]
fn a_message_that_claims_to_be_long_takes_no_memory() {
    let headers = vec![("content-type", "application/grpc".to_owned())];
    let claims = [&[0][..], &u32::MAX.to_be_bytes(), b"short"].concat();
    let response = Server::always(Does::Respond(200, headers, claims, ok())).send();
    assert_eq!(response.unwrap_err().retry, RetryHint::Never);
    let headers = vec![("content-type", "application/grpc".to_owned())];
    let response = Server::always(Does::Respond(200, headers, vec![0, 0, 0, 0, 9, 1], ok())).send();
    assert_eq!(response.unwrap_err().retry, RetryHint::Never);
}

#[test]
fn a_server_that_goes_away_within_a_request_is_tried_again() {
    let server = Server::start(|call| match call {
        1 => Does::GoAway,
        _ => message(0, "identity", b""),
    });
    let mut transport = server.transport();
    transport.send(&request()).unwrap();
    let error = transport.send(&request()).unwrap_err();
    assert_eq!(error.retry, RetryHint::Backoff, "{error}");
    transport.send(&request()).unwrap();
}

#[test]
fn a_connection_that_the_server_closes_between_requests_costs_nothing() {
    let server = Server::always(Does::TakeAndClose);
    let mut transport = server.transport();
    for number in 1..=5 {
        transport.send(&request()).unwrap();
        let until = Instant::now() + LONG;
        while server.ended.load(Ordering::SeqCst) < number && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(1));
        }
        // The client has read that it ends. Nothing shows when it has read the end.
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(server.connections.load(Ordering::SeqCst), 5);
}

#[test]
fn a_stream_that_is_reset_is_tried_again() {
    for reason in [
        Reason::REFUSED_STREAM,
        Reason::CANCEL,
        Reason::ENHANCE_YOUR_CALM,
        Reason::INTERNAL_ERROR,
        Reason::PROTOCOL_ERROR,
    ] {
        let server = Server::start(move |call| match call {
            0 => Does::Reset(reason),
            _ => message(0, "identity", b""),
        });
        let mut transport = server.transport();
        let error = transport.send(&request()).unwrap_err();
        assert_eq!(error.retry, RetryHint::Backoff, "{reason:?}: {error}");
        transport.send(&request()).unwrap();
    }
}

#[test]
fn a_response_that_does_not_end_is_given_up_at_the_deadline() {
    for does in [Does::HeadersOnly, Does::Drip] {
        let server = Server::always(does);
        let start = Instant::now();
        let deadline = start + Duration::from_millis(400);
        let request = Request::new(Signal::Traces, crate::support::BODY, 1, deadline);
        let error = server.transport().send(&request).unwrap_err();
        assert_eq!(error.kind, SendErrorKind::TimedOut, "{error}");
        assert!(start.elapsed() < BRIEF, "{:?}", start.elapsed());
    }
}

#[test]
fn a_response_without_a_status_delivers_nothing() {
    let error = Server::always(Does::NoTrailers).send().unwrap_err();
    assert_eq!(error.kind, SendErrorKind::Refused, "{error}");
}
