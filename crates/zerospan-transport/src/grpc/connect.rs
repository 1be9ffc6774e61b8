use super::describe::describe;
use super::settings::Settings;
use super::stream::{Activity, Io, Watched};
use crate::error::SendError;
use crate::target::Peer;
use bytes::Bytes;
use h2::client::SendRequest;
use h2::{Ping, PingPong};
use socket2::{SockRef, TcpKeepalive};
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::{JoinHandle, JoinSet};

/// The time after which the next address is tried as well, as RFC 8305 recommends.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// TCP notices a dead connection and keeps one open through a NAT, also between calls, where HTTP/2 servers permit no PING.
const TCP_IDLE: Duration = Duration::from_secs(30);
const TCP_INTERVAL: Duration = Duration::from_secs(10);

/// The longest list of headers that is taken from a server.
const MAX_HEADER_BYTES: u32 = 64 << 10;

/// One address that a connection can be made to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

/// A connection whose server has answered at least once.
pub(super) struct Connection {
    pub(super) address: Address,
    pub(super) requests: SendRequest<Bytes>,
    pub(super) activity: Arc<Activity>,
    pings: Option<PingPong>,
    driver: JoinHandle<()>,
}

impl Connection {
    /// Waits until another request may be sent. Returns `false` if the connection is closed or closing.
    pub(super) async fn is_usable(&mut self) -> bool {
        !self.driver.is_finished() && self.requests.clone().ready().await.is_ok()
    }

    /// Sends a PING, unless one is under way.
    pub(super) async fn ping(&mut self) {
        let Some(pings) = &mut self.pings else {
            return;
        };
        // Takes the PONG of an earlier one.
        poll_fn(|context| {
            let _ = pings.poll_pong(context);
            Poll::Ready(())
        })
        .await;
        let _ = pings.send_ping(Ping::opaque());
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Connects to the first address that answers. The others are tried when one fails, and alongside after a while. Tries
/// `shunned` last: a request over it had no answer.
pub(super) async fn connect(
    settings: &Arc<Settings>,
    shunned: Option<&Address>,
) -> Result<Connection, SendError> {
    let mut addresses = resolve(&settings.target.peer).await?;
    addresses.sort_by_key(|address| Some(address) == shunned);
    let mut waiting = addresses.into_iter();
    let mut attempts = JoinSet::new();
    let mut failures = Vec::new();
    loop {
        if let Some(address) = waiting.next() {
            attempts.spawn(open(Arc::clone(settings), address));
        }
        let ended = match waiting.len() {
            0 => attempts.join_next().await,
            _ => match tokio::time::timeout(ATTEMPT_DELAY, attempts.join_next()).await {
                Ok(ended) => ended,
                Err(_) => continue,
            },
        };
        match ended {
            Some(Ok(Ok(connection))) => return Ok(connection),
            Some(Ok(Err(failure))) => failures.push(failure),
            Some(Err(panic)) => failures.push(panic.to_string()),
            None if waiting.len() == 0 => {
                return Err(SendError::unreachable(failures.join("; ")));
            }
            None => {}
        }
    }
}

/// Returns the addresses of a peer, in an order that alternates between the families.
async fn resolve(peer: &Peer) -> Result<Vec<Address>, SendError> {
    let addresses: Vec<SocketAddr> = match peer {
        Peer::Unix(path) => return Ok(vec![Address::Unix(path.clone())]),
        Peer::Addresses(addresses) => addresses.clone(),
        Peer::Name(name, port) => tokio::net::lookup_host((name.as_str(), *port))
            .await
            .map_err(|error| SendError::unreachable(format!("{name}: {error}")))?
            .collect(),
    };
    let Some(first) = addresses.first() else {
        return Err(SendError::unreachable(format!("{peer} has no address")));
    };
    let preferred = first.is_ipv6();
    let (same, other): (Vec<_>, Vec<_>) = addresses
        .iter()
        .copied()
        .partition(|address| address.is_ipv6() == preferred);
    let mut other = other.into_iter();
    let mut ordered = Vec::new();
    for address in same {
        ordered.push(Address::Tcp(address));
        ordered.extend(other.next().map(Address::Tcp));
    }
    ordered.extend(other.map(Address::Tcp));
    Ok(ordered)
}

/// Connects to one address, and waits for the first bytes of the server: a balancer may take a connection and then forget it.
async fn open(settings: Arc<Settings>, address: Address) -> Result<Connection, String> {
    let failed = |why: &dyn fmt::Display| format!("{address}: {why}");
    let io = dial(&address)
        .await
        .map_err(|error| failed(&describe(&error)))?;
    let io = secure(&settings, io).await.map_err(|why| failed(&why))?;
    let activity = Arc::new(Activity::default());
    let watched = Watched::new(io, Arc::clone(&activity));
    let (requests, mut connection) = h2::client::Builder::new()
        .enable_push(false)
        .max_header_list_size(MAX_HEADER_BYTES)
        .handshake(watched)
        .await
        .map_err(|error| failed(&describe(&error)))?;
    let pings = connection.ping_pong();
    let end = Arc::new(OnceLock::new());
    let driver = tokio::spawn({
        let (activity, end) = (Arc::clone(&activity), Arc::clone(&end));
        async move {
            let why = match connection.await {
                Ok(()) => "the server closed the connection".to_owned(),
                Err(error) => describe(&error),
            };
            let _ = end.set(why);
            activity.started.notify_one();
        }
    });
    let connection = Connection {
        address: address.clone(),
        requests,
        activity,
        pings,
        driver,
    };
    connection.activity.started.notified().await;
    match connection.activity.first() {
        Some(first) if first.starts_with(b"HTTP/") => Err(failed(
            &"the server speaks HTTP/1, which gRPC is not: is this the port for OTLP/HTTP?",
        )),
        // A record of TLS: alert or handshake, of version 3.
        Some([0x15 | 0x16, 3, ..]) => Err(failed(
            &"the server speaks TLS: the endpoint must begin with https://",
        )),
        Some(_) => Ok(connection),
        None => {
            let end = end.get().map_or("the connection ended", String::as_str);
            Err(failed(&end))
        }
    }
}

async fn dial(address: &Address) -> io::Result<Box<dyn Io>> {
    match address {
        Address::Tcp(address) => {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let keepalive = TcpKeepalive::new().with_time(TCP_IDLE);
            #[cfg(any(target_os = "linux", target_os = "macos", target_os = "windows"))]
            let keepalive = keepalive.with_interval(TCP_INTERVAL);
            // A system without it still has the PINGs of a call.
            let _ = SockRef::from(&stream).set_tcp_keepalive(&keepalive);
            Ok(Box::new(stream))
        }
        #[cfg(unix)]
        Address::Unix(path) => Ok(Box::new(tokio::net::UnixStream::connect(path).await?)),
        #[cfg(not(unix))]
        Address::Unix(_) => Err(io::Error::from(io::ErrorKind::Unsupported)),
    }
}

#[cfg(feature = "tls")]
async fn secure(settings: &Settings, io: Box<dyn Io>) -> Result<Box<dyn Io>, String> {
    use rustls_pki_types::ServerName;
    let Some(config) = &settings.tls else {
        return Ok(io);
    };
    let host = settings.target.host();
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| format!("`{host}` is no name that a certificate can have"))?;
    let stream = tokio_rustls::TlsConnector::from(Arc::clone(config))
        .connect(name, io)
        .await
        .map_err(|error| match is_no_tls(&error) {
            true => {
                "the server does not speak TLS: the endpoint must begin with http://, or without a \
                     scheme OTEL_EXPORTER_OTLP_INSECURE must be true"
                    .to_owned()
            }
            false => describe(&error),
        })?;
    match stream.get_ref().1.alpn_protocol() {
        Some(b"h2") => Ok(Box::new(stream)),
        _ => Err(
            "the server does not offer HTTP/2, which gRPC needs: is this the port for OTLP/HTTP?"
                .to_owned(),
        ),
    }
}

#[cfg(feature = "tls")]
fn is_no_tls(error: &io::Error) -> bool {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(inner, Some(rustls::Error::InvalidMessage(_)))
}

#[cfg(not(feature = "tls"))]
async fn secure(_: &Settings, io: Box<dyn Io>) -> Result<Box<dyn Io>, String> {
    Ok(io)
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}
