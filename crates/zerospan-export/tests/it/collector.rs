//! A collector on the loopback interface that does what a script says: over HTTP by hand, over gRPC by the official service.

// With paths, since the example `faults` has this file as a module too.
#[path = "collector/grpc.rs"]
mod grpc;
#[path = "collector/http.rs"]
mod http;
#[path = "collector/tls.rs"]
mod tls;

pub(crate) use tls::Authority;

use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use zerospan_export::{OtlpConfig, Protocol};

/// What the collector does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Takes it.
    Take,
    /// Takes it, but for so many spans.
    TakeBut(i64),
    /// Takes it after a while.
    Late(Duration),
    /// Says "not now": status 429 or 503, code `RESOURCE_EXHAUSTED` or `UNAVAILABLE`; with a delay to wait.
    Busy {
        throttled: bool,
        wait: Option<Duration>,
    },
    /// Says "not now, not before this time". HTTP alone.
    BusyUntil(SystemTime),
    /// Refuses it for good: status 400, code `INVALID_ARGUMENT`.
    Refuse,
    /// Never answers.
    Hang,
    /// Closes the connection in the middle of the request, with a reset.
    Reset,
    /// Answers with bytes that are no answer.
    Garbage,
    /// Says yes in an answer of 8 MiB.
    Endless,
    /// Answers with exactly these bytes. HTTP alone.
    Raw(&'static str),
}

/// What each connection of a collector knows.
pub(crate) struct Script {
    reply: Box<dyn Fn(usize) -> Reply + Send + Sync>,
    calls: AtomicUsize,
    requests: Mutex<Vec<Vec<u8>>>,
    heads: Mutex<Vec<String>>,
    connections: AtomicUsize,
}

impl Script {
    /// The reply to the next request, by its number.
    fn next(&self) -> Reply {
        (self.reply)(self.calls.fetch_add(1, Ordering::SeqCst))
    }

    /// Keeps a request that is taken.
    fn keep(&self, request: Vec<u8>) {
        self.requests.lock().unwrap().push(request);
    }

    /// Keeps what came before a request's body.
    fn keep_head(&self, head: String) {
        self.heads.lock().unwrap().push(head);
    }
}

/// A collector that runs until it is dropped.
pub(crate) struct Collector {
    pub(crate) protocol: Protocol,
    pub(crate) address: SocketAddr,
    script: Arc<Script>,
    scheme: &'static str,
    _server: Box<dyn std::any::Any>,
}

/// A free port on the loopback interface, with nobody there.
pub(crate) fn vacant() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

impl Collector {
    /// Takes everything.
    pub(crate) fn start(protocol: Protocol) -> Self {
        Self::scripted(protocol, |_| Reply::Take)
    }

    /// Replies to the request with the number `n`, counted from 0, with `reply(n)`.
    pub(crate) fn scripted(
        protocol: Protocol,
        reply: impl Fn(usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::at("127.0.0.1:0".parse().unwrap(), protocol, None, reply)
    }

    /// The same, over TLS with a certificate of `authority`; asks for one of the client's if it is `mutual`.
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
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let script = Arc::new(Script {
            reply: Box::new(reply),
            calls: AtomicUsize::new(0),
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

    /// How to reach it.
    pub(crate) fn config(&self) -> OtlpConfig {
        let host = if self.scheme == "https" {
            "localhost"
        } else {
            "127.0.0.1"
        };
        let url = format!("{}://{host}:{}/v1/traces", self.scheme, self.address.port());
        OtlpConfig::new()
            .with_protocol(self.protocol)
            .with_endpoint(url)
    }

    /// The requests that it took.
    pub(crate) fn requests(&self) -> Vec<Vec<u8>> {
        self.script.requests.lock().unwrap().clone()
    }

    /// What came before the bodies: request line and headers.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.script.heads.lock().unwrap().clone()
    }

    /// How many connections there were. HTTP alone.
    pub(crate) fn connections(&self) -> usize {
        self.script.connections.load(Ordering::SeqCst)
    }

    /// How many requests there were, taken or not.
    pub(crate) fn calls(&self) -> usize {
        self.script.calls.load(Ordering::SeqCst)
    }
}
