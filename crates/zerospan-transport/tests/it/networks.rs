//! Networks as they are: connections that die without a reset, balancers, names with several addresses.

use crate::collector::{Authority, Collector, Proxy, Reply, vacant};
use crate::support::{BODY, BRIEF, LONG, request, try_send};
use socket2::{Domain, Socket, Type};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use zerospan_transport::{
    Connect, OtlpConfig, Protocol, Request, RetryHint, SendErrorKind, Signal,
};

/// An address that swallows packets: a listener whose queue of connections is full.
struct BlackHole {
    address: SocketAddr,
    _listener: Socket,
    _queued: Vec<TcpStream>,
}

impl BlackHole {
    fn new() -> Self {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener
            .bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())
            .unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap().as_socket().unwrap();
        let mut queued = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(100)) {
            queued.push(stream);
            assert!(queued.len() < 100, "the address takes connections");
        }
        Self {
            address,
            _listener: listener,
            _queued: queued,
        }
    }
}

fn grpc(endpoint: impl Into<String>) -> OtlpConfig {
    OtlpConfig::new()
        .with_protocol(Protocol::Grpc)
        .with_endpoint(endpoint)
}

/// Enough for a request to arrive on a busy machine, and not too long to wait for.
const TO_GIVE_UP: Duration = Duration::from_secs(4);

fn within(time: Duration) -> Request<'static> {
    Request::new(Signal::Traces, BODY, 1, Instant::now() + time)
}

#[test]
fn after_a_connection_died_without_a_reset_grpc_connects_anew() {
    let collector = Collector::start(Protocol::Grpc);
    let proxy = Proxy::start(collector.address);
    let connector = grpc(format!("http://{}", proxy.address))
        .connector(Signal::Traces)
        .unwrap();
    let mut transport = connector.connect().unwrap();
    let time = Duration::from_secs(8);
    transport.send(&within(time)).unwrap();
    transport.send(&within(time)).unwrap();
    assert_eq!(proxy.connections(), 1);
    proxy.kill_silently();
    let start = Instant::now();
    let error = transport.send(&within(time)).unwrap_err();
    // A PING that is not answered ends the attempt after half the time, so that there is time for another.
    assert!(start.elapsed() < time * 7 / 8, "{error}");
    assert!(error.message.contains("keep-alive"), "{error}");
    for _ in 0..12 {
        transport.send(&request()).unwrap();
    }
    assert_eq!(collector.requests().len(), 14);
    assert_eq!(proxy.connections(), 2);
}

#[test]
fn a_server_that_is_slow_but_alive_keeps_its_connection() {
    // A PING that is not answered would end the attempt after 2 s.
    let (time, slow) = (Duration::from_secs(4), Duration::from_millis(2500));
    let collector = Collector::scripted(Protocol::Grpc, move |_| Reply::Late(slow));
    let proxy = Proxy::start(collector.address);
    let connector = grpc(format!("http://{}", proxy.address))
        .connector(Signal::Traces)
        .unwrap();
    let mut transport = connector.connect().unwrap();
    transport.send(&within(time)).unwrap();
    transport.send(&within(time)).unwrap();
    assert_eq!(proxy.connections(), 1);
}

#[test]
fn after_a_timeout_grpc_connects_anew() {
    let collector = Collector::scripted(Protocol::Grpc, |call| match call {
        0 => Reply::Hang,
        _ => Reply::Take,
    });
    let proxy = Proxy::start(collector.address);
    let connector = grpc(format!("http://{}", proxy.address))
        .connector(Signal::Traces)
        .unwrap();
    let mut transport = connector.connect().unwrap();
    transport.send(&within(TO_GIVE_UP)).unwrap_err();
    transport.send(&request()).unwrap();
    assert_eq!(proxy.connections(), 2);
}

#[test]
fn an_address_that_swallows_packets_does_not_keep_grpc_from_the_next() {
    let collector = Collector::start(Protocol::Grpc);
    let hole = BlackHole::new();
    let config = grpc(format!("ipv4:{},{}", hole.address, collector.address));
    let connector = config.connector(Signal::Traces).unwrap();
    let time = Duration::from_secs(10);
    let start = Instant::now();
    connector.connect().unwrap().send(&within(time)).unwrap();
    // Each address has a share of half the time.
    assert!(start.elapsed() < time * 3 / 4, "{:?}", start.elapsed());
    assert_eq!(collector.requests().len(), 1);
}

#[test]
fn an_address_that_takes_connections_and_forgets_them_costs_grpc_one_attempt() {
    let collector = Collector::start(Protocol::Grpc);
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let mute_address = mute.local_addr().unwrap();
    let config = grpc(format!("ipv4:{mute_address},{}", collector.address));
    let mut transport = config.connector(Signal::Traces).unwrap().connect().unwrap();
    let error = transport.send(&within(Duration::from_secs(1))).unwrap_err();
    assert_eq!(error.retry, RetryHint::Backoff, "{error}");
    transport.send(&request()).unwrap();
    // An address that takes no connections costs nothing.
    let config = grpc(format!("ipv4:{},{}", vacant(), collector.address));
    try_send(&config).unwrap();
    assert_eq!(collector.requests().len(), 2);
}

#[test]
fn when_no_address_takes_a_connection_the_error_names_each() {
    let (one, other) = (vacant(), vacant());
    let error = try_send(&grpc(format!("ipv4:{one},{other}"))).unwrap_err();
    for address in [one, other] {
        assert!(error.message.contains(&address.to_string()), "{error}");
    }
}

#[test]
fn an_address_whose_requests_get_no_answer_is_tried_last() {
    let hung = Collector::scripted(Protocol::Grpc, |_| Reply::Hang);
    let collector = Collector::start(Protocol::Grpc);
    let config = grpc(format!("ipv4:{},{}", hung.address, collector.address));
    let mut transport = config.connector(Signal::Traces).unwrap().connect().unwrap();
    transport.send(&within(TO_GIVE_UP)).unwrap_err();
    transport.send(&request()).unwrap();
    assert_eq!((hung.calls(), collector.requests().len()), (1, 1));
}

#[test]
fn a_server_of_another_protocol_is_recognised() {
    let authority = Authority::new();
    let http = Collector::start(Protocol::HttpProtobuf);
    let secure_http = Collector::with_tls(Protocol::HttpProtobuf, &authority, false);
    let plain = Collector::start(Protocol::Grpc);
    let secure = Collector::with_tls(Protocol::Grpc, &authority, false);
    let port = |collector: &Collector| collector.address.port();
    for (url, hint) in [
        (
            format!("https://localhost:{}", port(&plain)),
            "does not speak TLS",
        ),
        (format!("http://localhost:{}", port(&secure)), "https://"),
        (
            format!("https://localhost:{}", port(&secure_http)),
            "HTTP/2",
        ),
    ] {
        let config = grpc(url).with_certificate_pem(authority.pem.clone());
        let error = try_send(&config).unwrap_err();
        assert!(error.message.contains(hint), "{hint}: {error}");
    }
    // A server of HTTP/1 answers with an error, in its own protocol.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let is_done = Arc::new(AtomicBool::new(false));
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        is_done.store(true, Ordering::SeqCst);
    });
    let error = try_send(&grpc(format!("http://{address}"))).unwrap_err();
    assert!(error.message.contains("HTTP/1"), "{error}");
    server.join().unwrap();
    let _ = http;
}

/// A server of HTTP/1 that says `head`, and then a byte of its body now and then, or nothing.
fn dripping(head: &'static str, is_mute: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(head.as_bytes());
                while is_mute || stream.write_all(b"x").is_ok() {
                    std::thread::sleep(Duration::from_millis(50));
                }
            });
        }
    });
    address
}

#[test]
fn over_http_a_body_that_does_not_end_is_given_up_at_the_deadline() {
    let check = |head, is_success, is_mute| {
        let url = format!("http://{}/", dripping(head, is_mute));
        let config = OtlpConfig::new()
            .with_protocol(Protocol::HttpProtobuf)
            .with_timeout(LONG)
            .with_endpoint(url);
        let mut transport = config.connector(Signal::Traces).unwrap().connect().unwrap();
        let start = Instant::now();
        let outcome = transport.send(&within(Duration::from_millis(1500)));
        assert!(start.elapsed() < BRIEF, "{head}: {:?}", start.elapsed());
        match is_success {
            // The status says what became of the request.
            Some(true) => assert!(outcome.unwrap().message.contains("cut off")),
            Some(false) => assert_eq!(outcome.unwrap_err().kind, SendErrorKind::Unavailable),
            None => drop(outcome.unwrap_err()),
        }
    };
    // Each waits for the deadline, so they wait at the same time.
    std::thread::scope(|threads| {
        for (head, is_success) in [
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
                Some(true),
            ),
            (
                "HTTP/1.1 503 Busy\r\nContent-Length: 100000\r\n\r\n",
                Some(false),
            ),
            ("HTTP/1.1 200 OK\r\nX: ", None),
            ("", None),
        ] {
            for is_mute in [false, true] {
                threads.spawn(move || check(head, is_success, is_mute));
            }
        }
    });
}

#[test]
fn over_http_a_server_of_another_protocol_is_an_error() {
    let secure = Collector::with_tls(Protocol::HttpProtobuf, &Authority::new(), false);
    let grpc = Collector::start(Protocol::Grpc);
    for port in [secure.address.port(), grpc.address.port()] {
        let config = OtlpConfig::new()
            .with_protocol(Protocol::HttpProtobuf)
            .with_endpoint(format!("http://localhost:{port}"));
        let error = try_send(&config).unwrap_err();
        assert_eq!(error.kind, SendErrorKind::Unreachable, "{error}");
    }
}

fn http(address: SocketAddr) -> OtlpConfig {
    OtlpConfig::new()
        .with_protocol(Protocol::HttpProtobuf)
        .with_endpoint(format!("http://{address}/v1/traces"))
}

#[test]
fn after_a_connection_died_without_a_reset_http_sends_over_another_before_the_deadline() {
    let collector = Collector::start(Protocol::HttpProtobuf);
    let proxy = Proxy::start(collector.address);
    let connector = http(proxy.address).connector(Signal::Traces).unwrap();
    let mut transport = connector.connect().unwrap();
    // A kept connection is waited for half of it.
    let time = Duration::from_secs(4);
    transport.send(&within(time)).unwrap();
    transport.send(&within(time)).unwrap();
    for kills in 1..=3 {
        assert_eq!(proxy.connections(), kills);
        proxy.kill_silently();
        transport.send(&within(time)).unwrap();
    }
    transport.send(&within(time)).unwrap();
    assert_eq!(collector.requests().len(), 6);
    assert_eq!(proxy.connections(), 4);
}

#[test]
fn an_http_server_that_is_slow_but_alive_gets_each_request_once() {
    // Beyond half the time, after which a kept connection would be given up if the server were not known to be slow.
    let (time, slow) = (Duration::from_secs(4), Duration::from_millis(2500));
    let collector = Collector::scripted(Protocol::HttpProtobuf, move |_| Reply::Late(slow));
    let proxy = Proxy::start(collector.address);
    let connector = http(proxy.address).connector(Signal::Traces).unwrap();
    let mut transport = connector.connect().unwrap();
    for _ in 0..3 {
        transport.send(&within(time)).unwrap();
    }
    assert_eq!(collector.calls(), 3);
    assert_eq!(proxy.connections(), 1);
}

#[test]
fn over_http_a_connection_that_is_reset_instead_of_answered_is_replaced_if_it_was_kept() {
    let collector = Collector::scripted(Protocol::HttpProtobuf, |call| match call {
        1 => Reply::Reset,
        _ => Reply::Take,
    });
    let connector = http(collector.address).connector(Signal::Traces).unwrap();
    let mut transport = connector.connect().unwrap();
    transport.send(&request()).unwrap();
    transport.send(&request()).unwrap();
    assert_eq!(collector.calls(), 3);
    // A new connection that is reset is an error.
    let collector = Collector::scripted(Protocol::HttpProtobuf, |_| Reply::Reset);
    try_send(&http(collector.address)).unwrap_err();
    assert_eq!(collector.calls(), 1);
}
