//! A collector on the loopback interface that follows a script: over HTTP by hand, over gRPC by the official services.

// Each binary that includes this file uses a part of it.
#![allow(dead_code, unused_imports)]

// With paths, since the tests of `zerospan-export` include this file as well.
#[path = "collector/grpc.rs"]
mod grpc;
#[path = "collector/http.rs"]
mod http;
#[path = "collector/proxy.rs"]
mod proxy;
#[path = "collector/tls.rs"]
mod tls;

pub(crate) use proxy::Proxy;
pub(crate) use tls::Authority;

use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
// ThreadSanitizer sees this lock.
use zerospan_core::sync::lock;
use zerospan_transport::{OtlpConfig, Protocol, Signal};

/// A collector's reply to a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Takes it.
    Take,
    /// Takes all but so many of its items.
    TakeBut(i64),
    /// Takes all but so many of its items, with a message of so many bytes.
    TakeButExplain(i64, usize),
    /// Takes it after a while.
    Late(Duration),
    /// Asks to try again: status 429 or 503, code `RESOURCE_EXHAUSTED` or `UNAVAILABLE`, after a delay if there is one.
    Busy {
        throttled: bool,
        wait: Option<Duration>,
    },
    /// Asks to try again after this time. HTTP only.
    BusyUntil(SystemTime),
    /// Refuses it: status 400, code `INVALID_ARGUMENT`.
    Refuse,
    /// Never replies.
    Hang,
    /// Closes the connection in the middle of the request, with a reset. HTTP only.
    Reset,
    /// Replies with bytes that are no response. HTTP only.
    Garbage,
    /// Accepts it with a response of 8 MiB.
    Endless,
    /// Replies with exactly these bytes. HTTP only.
    Raw(&'static str),
}

/// The state that the connections of a collector share.
pub(crate) struct Script {
    reply: Box<dyn Fn(Call) -> Reply + Send + Sync>,
    calls: Mutex<Calls>,
    requests: Mutex<Vec<(Signal, Vec<u8>)>>,
    heads: Mutex<Vec<String>>,
    connections: AtomicUsize,
}

/// The place of a request among the others, counted from 0.
#[derive(Clone, Copy)]
struct Call {
    number: usize,
    signal: Signal,
    number_of_signal: usize,
}

/// The requests so far, taken or not.
#[derive(Default)]
struct Calls {
    traces: usize,
    logs: usize,
}

impl Script {
    /// Returns the reply to the next request, which is one of `signal`.
    fn next(&self, signal: Signal) -> Reply {
        let call = {
            let mut calls = lock(&self.calls);
            let number = calls.traces + calls.logs;
            let of_signal = match signal {
                Signal::Logs => &mut calls.logs,
                _ => &mut calls.traces,
            };
            *of_signal += 1;
            Call {
                number,
                signal,
                number_of_signal: *of_signal - 1,
            }
        };
        (self.reply)(call)
    }

    /// Keeps a request that is taken.
    fn keep(&self, signal: Signal, request: Vec<u8>) {
        lock(&self.requests).push((signal, request));
    }

    /// Keeps the head of a request: request line and headers, or metadata.
    fn keep_head(&self, head: String) {
        lock(&self.heads).push(head);
    }
}

/// A collector that runs until it is dropped, for every signal.
pub(crate) struct Collector {
    pub(crate) protocol: Protocol,
    pub(crate) address: SocketAddr,
    script: Arc<Script>,
    scheme: &'static str,
    _server: Box<dyn std::any::Any>,
}

/// Returns a free port on the loopback interface, on which nothing listens.
pub(crate) fn vacant() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

impl Collector {
    /// Starts a collector that takes everything.
    pub(crate) fn start(protocol: Protocol) -> Self {
        Self::scripted(protocol, |_| Reply::Take)
    }

    /// Starts a collector that replies with `reply(n)` to request number `n`, counted from 0.
    pub(crate) fn scripted(
        protocol: Protocol,
        reply: impl Fn(usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::at("127.0.0.1:0".parse().unwrap(), protocol, None, reply)
    }

    /// Starts a collector that replies with `reply(signal, n)` to request number `n` of each signal, counted from 0.
    pub(crate) fn scripted_by_signal(
        protocol: Protocol,
        reply: impl Fn(Signal, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let address = "127.0.0.1:0".parse().unwrap();
        Self::serve(address, protocol, None, move |call| {
            reply(call.signal, call.number_of_signal)
        })
    }

    /// Starts a collector over TLS with a certificate of `authority`. If `mutual`, it demands a client certificate.
    pub(crate) fn with_tls(protocol: Protocol, authority: &Authority, mutual: bool) -> Self {
        let address = "127.0.0.1:0".parse().unwrap();
        Self::at(address, protocol, Some((authority, mutual)), |_| {
            Reply::Take
        })
    }

    pub(crate) fn at(
        address: SocketAddr,
        protocol: Protocol,
        tls: Option<(&Authority, bool)>,
        reply: impl Fn(usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::serve(address, protocol, tls, move |call| reply(call.number))
    }

    fn serve(
        address: SocketAddr,
        protocol: Protocol,
        tls: Option<(&Authority, bool)>,
        reply: impl Fn(Call) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let script = Arc::new(Script {
            reply: Box::new(reply),
            calls: Mutex::default(),
            requests: Mutex::default(),
            heads: Mutex::default(),
            connections: AtomicUsize::new(0),
        });
        let server: Box<dyn std::any::Any> = match protocol {
            Protocol::HttpProtobuf => Box::new(http::serve(listener, tls, Arc::clone(&script))),
            Protocol::Grpc => Box::new(grpc::serve(listener, tls, Arc::clone(&script))),
            other => unreachable!("no collector speaks {other}"),
        };
        Self {
            protocol,
            address,
            script,
            scheme: if tls.is_some() { "https" } else { "http" },
            _server: server,
        }
    }

    /// Returns the settings to send traces to it.
    pub(crate) fn config(&self) -> OtlpConfig {
        self.config_for(Signal::Traces)
    }

    /// Returns the settings to send `signal` to it.
    pub(crate) fn config_for(&self, signal: Signal) -> OtlpConfig {
        let host = if self.scheme == "https" {
            "localhost"
        } else {
            "127.0.0.1"
        };
        let url = format!(
            "{}://{host}:{}/{}",
            self.scheme,
            self.address.port(),
            signal.path()
        );
        OtlpConfig::new()
            .with_protocol(self.protocol)
            .with_endpoint(url)
    }

    /// Returns the requests that it took.
    pub(crate) fn requests(&self) -> Vec<Vec<u8>> {
        let requests = lock(&self.script.requests);
        requests.iter().map(|(_, body)| body.clone()).collect()
    }

    /// Returns the requests of `signal` that it took.
    pub(crate) fn requests_of(&self, signal: Signal) -> Vec<Vec<u8>> {
        let requests = lock(&self.script.requests);
        let of_signal = requests.iter().filter(|(of, _)| *of == signal);
        of_signal.map(|(_, body)| body.clone()).collect()
    }

    /// Returns the heads of the requests: request line and headers, or metadata.
    pub(crate) fn heads(&self) -> Vec<String> {
        lock(&self.script.heads).clone()
    }

    /// Returns the number of connections. HTTP only.
    pub(crate) fn connections(&self) -> usize {
        self.script.connections.load(Ordering::SeqCst)
    }

    /// Returns the number of requests, taken or not.
    pub(crate) fn calls(&self) -> usize {
        let calls = lock(&self.script.calls);
        calls.traces + calls.logs
    }
}
