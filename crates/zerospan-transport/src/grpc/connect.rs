use crate::target::Peer;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioIo;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tower_service::Service;
use uri::Uri;
use zerospan_core::sync::lock;

type BoxError = Box<dyn Error + Send + Sync>;
type BoxFuture<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// TCP notices a dead connection and keeps one open through a NAT, also between calls, where HTTP/2 servers permit no PING.
const TCP_IDLE: Duration = Duration::from_secs(30);
const TCP_INTERVAL: Duration = Duration::from_secs(10);

/// A connection's bytes, whatever carries them.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// Connects to a peer, whatever the URI of the request.
#[derive(Clone)]
pub(super) struct Dialer {
    tcp: HttpConnector<Addresses>,
    addresses: Addresses,
}

impl Dialer {
    /// Creates a dialer whose attempts for all addresses of the peer may take `timeout`.
    pub(super) fn new(addresses: Addresses, timeout: Duration) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(addresses.clone());
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(TCP_IDLE));
        tcp.set_keepalive_interval(Some(TCP_INTERVAL));
        // Each address gets a share of it.
        tcp.set_connect_timeout(Some(timeout));
        Self { tcp, addresses }
    }
}

impl Service<Uri> for Dialer {
    type Response = TokioIo<Box<dyn Io>>;
    type Error = BoxError;
    type Future = BoxFuture<Self::Response, BoxError>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        if let Peer::Unix(path) = &self.addresses.peer {
            let path = path.clone();
            return Box::pin(async move { Ok(TokioIo::new(unix(path).await?)) });
        }
        // A URI without a port leaves the choice of the port to the resolver.
        let connecting = self.tcp.call(Uri::from_static("http://peer"));
        let addresses = self.addresses.clone();
        Box::pin(async move {
            let stream = connecting.await?.into_inner();
            *lock(&addresses.used) = stream.peer_addr().ok();
            Ok(TokioIo::new(Box::new(stream) as Box<dyn Io>))
        })
    }
}

#[cfg(unix)]
async fn unix(path: std::path::PathBuf) -> io::Result<Box<dyn Io>> {
    Ok(Box::new(tokio::net::UnixStream::connect(path).await?))
}

#[cfg(not(unix))]
async fn unix(_: std::path::PathBuf) -> io::Result<Box<dyn Io>> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

/// Resolves a peer, and remembers the address at which a call had no response: it is tried last.
#[derive(Clone)]
pub(super) struct Addresses {
    peer: Peer,
    /// The address of the last connection.
    used: Arc<Mutex<Option<SocketAddr>>>,
    shunned: Option<SocketAddr>,
}

impl Addresses {
    pub(super) fn new(peer: Peer) -> Self {
        Self {
            peer,
            used: Arc::default(),
            shunned: None,
        }
    }

    /// Tries the address of the last connection last.
    pub(super) fn shun_last(&mut self) {
        self.shunned = lock(&self.used).take().or(self.shunned);
    }

    /// Has no more reason to avoid an address.
    pub(super) fn shun_none(&mut self) {
        self.shunned = None;
    }
}

impl Service<Name> for Addresses {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = BoxFuture<Self::Response, io::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Name) -> Self::Future {
        let (peer, shunned) = (self.peer.clone(), self.shunned);
        Box::pin(async move {
            let mut addresses: Vec<SocketAddr> = match peer {
                Peer::Name(name, port) => tokio::net::lookup_host((name.as_str(), port))
                    .await?
                    .collect(),
                Peer::Addresses(addresses) => addresses,
                Peer::Unix(_) => Vec::new(),
            };
            addresses.sort_by_key(|address| Some(*address) == shunned);
            Ok(addresses.into_iter())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::runtime::Builder;

    fn order(addresses: &mut Addresses) -> Vec<SocketAddr> {
        let name = "peer".parse().expect("a name");
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        let found = runtime.block_on(addresses.call(name));
        found.expect("addresses need no look-up").collect()
    }

    #[test]
    fn an_address_without_a_response_is_tried_last_until_a_call_has_one() {
        let [first, second] = [1, 2].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        let mut addresses = Addresses::new(Peer::Addresses(vec![first, second]));
        assert_eq!(order(&mut addresses), [first, second]);
        *lock(&addresses.used) = Some(first);
        addresses.shun_last();
        assert_eq!(order(&mut addresses), [second, first]);
        // No connection was made meanwhile.
        addresses.shun_last();
        assert_eq!(order(&mut addresses), [second, first]);
        addresses.shun_none();
        assert_eq!(order(&mut addresses), [first, second]);
    }
}
