use super::forward::Forwarded;
use super::kept::{Kept, Requests};
use super::resolve::{Addresses, Later};
use crate::proxy::Proxy;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use ureq::Error;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    ConnectionDetails, Connector, Either, NextTimeout, TcpConnector, Transport,
};
use uri::Uri;

/// Opens TCP connections to the collector, or to the proxy before it, and resolves their names.
#[derive(Debug)]
pub(super) struct TcpByName {
    addresses: Addresses,
    /// The proxy that forwards requests over `http`. A tunnel for `https` is made by `ureq`'s own connector.
    forward: Option<Proxy>,
    requests: Requests,
}

/// The longest wait for one address while others are left.
const MAX_SHARE: Duration = Duration::from_secs(2);

impl TcpByName {
    pub(super) fn new(addresses: Addresses, forward: Option<Proxy>, requests: Requests) -> Self {
        Self {
            addresses,
            forward,
            requests,
        }
    }

    /// Connects to the first address that answers. Each but the last gets a part of the time.
    fn open(&self, details: &ConnectionDetails<'_>) -> Result<Box<dyn Transport>, Error> {
        let host = details.uri.host().unwrap_or_default();
        let default_port = match details.uri.scheme_str() {
            Some("https") => 443,
            _ => 80,
        };
        let port = details.uri.port_u16().unwrap_or(default_port);
        let end = Instant::now().checked_add(*details.timeout.after);
        let left = || match end {
            Some(end) => end.saturating_duration_since(Instant::now()),
            None => Duration::MAX,
        };
        let timed_out = || Error::Timeout(details.timeout.reason);
        let addresses = match self.addresses.get(host, port, left()) {
            Ok(addresses) => addresses,
            Err(error) if error.kind() == io::ErrorKind::TimedOut => return Err(timed_out()),
            Err(error) => {
                return Err(Error::Io(io::Error::new(
                    error.kind(),
                    format!("{host}: {error}"),
                )));
            }
        };
        let mut failure = timed_out();
        for (index, &address) in addresses.iter().enumerate() {
            let share = match index + 1 == addresses.len() {
                true => left(),
                false => (left() / 2).min(MAX_SHARE),
            };
            if share.is_zero() {
                break;
            }
            match connect(details, address, share) {
                Ok(Some(transport)) => {
                    self.addresses.connected(address);
                    return Ok(Box::new(Kept::new(transport, &self.requests)));
                }
                Ok(None) => {}
                Err(error) => failure = error,
            }
        }
        self.addresses.failed();
        Err(failure)
    }
}

impl<In: Transport> Connector<In> for TcpByName {
    type Out = Either<In, Box<dyn Transport>>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let transport = match (chained, &self.forward) {
            // A tunnel.
            (Some(transport), _) => return Ok(Some(Either::A(transport))),
            (None, Some(proxy)) if *details.uri != proxy.uri => {
                let no_addresses = Later.empty();
                let to_proxy = with(details, &proxy.uri, no_addresses, details.timeout);
                let transport = (details.run_connector)(&to_proxy)?;
                Box::new(Forwarded::new(transport, details.uri))
            }
            (None, _) => self.open(details)?,
        };
        Ok(Some(Either::B(transport)))
    }
}

fn connect(
    details: &ConnectionDetails<'_>,
    address: SocketAddr,
    timeout: Duration,
) -> Result<Option<Box<dyn Transport>>, Error> {
    let mut addresses = Later.empty();
    addresses.push(address);
    let timeout = NextTimeout {
        after: timeout.into(),
        ..details.timeout
    };
    let details = with(details, details.uri, addresses, timeout);
    let transport = TcpConnector::default().connect(&details, None::<()>);
    Ok(transport?.map(|transport| Box::new(transport) as Box<dyn Transport>))
}

/// Returns `details` for another connection.
fn with<'a>(
    details: &'a ConnectionDetails<'_>,
    uri: &'a Uri,
    addrs: ResolvedSocketAddrs,
    timeout: NextTimeout,
) -> ConnectionDetails<'a> {
    ConnectionDetails {
        uri,
        addrs,
        config: details.config,
        request_level: details.request_level,
        resolver: details.resolver,
        now: details.now,
        timeout,
        current_time: details.current_time.clone(),
        run_connector: details.run_connector.clone(),
        register_shutdown: details.register_shutdown.clone(),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use socket2::{Domain, Socket, Type};
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::sync::OnceLock;
    use ureq::Agent;

    const LONG: Duration = Duration::from_secs(30);

    fn agent(lookup: fn(&str, u16) -> io::Result<Vec<SocketAddr>>) -> Agent {
        let config = Agent::config_builder().max_idle_connections(0).build();
        let connector = TcpByName::new(Addresses::with_lookup(lookup), None, Requests::default());
        Agent::with_parts(config, connector, Later)
    }

    /// Listens with a full queue, so that it swallows packets.
    fn black_hole() -> Vec<Socket> {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        listener.bind(&any.into()).expect("a free port");
        listener.listen(0).expect("a listener");
        let address = listener.local_addr().expect("an address");
        let address = address.as_socket().expect("an IP address");
        let mut sockets = vec![listener];
        while let Ok(queued) = TcpStream::connect_timeout(&address, Duration::from_millis(100)) {
            sockets.push(queued.into());
            assert!(sockets.len() < 100, "it takes connections");
        }
        sockets
    }

    fn answer_requests(listener: &TcpListener) {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut bytes = [0; 4096];
            // Small requests, which come in one piece.
            while let Ok(1..) = stream.read(&mut bytes) {
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                if stream.write_all(answer).is_err() {
                    break;
                }
            }
        }
    }

    #[test]
    fn a_url_without_a_port_has_that_of_its_scheme() {
        let agent = agent(|host, port| Err(io::Error::other(format!("{host} at {port}"))));
        for (url, asked) in [
            ("http://collector/", "collector at 80"),
            ("https://collector/", "collector at 443"),
            ("https://collector:4318/", "collector at 4318"),
        ] {
            let error = agent.post(url).send("a body").expect_err("no such name");
            assert!(error.to_string().contains(asked), "{error}");
        }
    }

    /// Returns the addresses of a black hole, which is open as long as its sockets, and of a server that answers.
    fn hole_and_server() -> (Vec<Socket>, Vec<SocketAddr>) {
        let hole = black_hole();
        let hole_address = hole[0].local_addr().expect("an address").as_socket();
        let hole_address = hole_address.expect("an IP address");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let alive = listener.local_addr().expect("an address");
        std::thread::spawn(move || answer_requests(&listener));
        (hole, vec![hole_address, alive])
    }

    /// Sends a request, which is answered, and returns the time that it took.
    fn send(agent: &Agent, timeout: Duration) -> Duration {
        let start = Instant::now();
        let request = agent.post("http://collector:4318/").config();
        let request = request.timeout_global(Some(timeout));
        let response = request.build().send("a body").expect("an answer");
        assert_eq!(response.status(), 200);
        start.elapsed()
    }

    #[test]
    fn an_address_that_swallows_packets_does_not_keep_http_from_the_next() {
        static ADDRESSES: OnceLock<Vec<SocketAddr>> = OnceLock::new();
        let (_hole, addresses) = hole_and_server();
        ADDRESSES.set(addresses).expect("set once");
        let agent = agent(|_, _| Ok(ADDRESSES.get().cloned().unwrap_or_default()));
        let first = send(&agent, LONG);
        assert!((MAX_SHARE..LONG / 2).contains(&first), "{first:?}");
        // The address that answered comes first from now on.
        let second = send(&agent, LONG);
        assert!(second < MAX_SHARE, "{second:?}");
    }

    #[test]
    fn an_address_that_swallows_packets_leaves_half_of_a_short_time_for_the_next() {
        static ADDRESSES: OnceLock<Vec<SocketAddr>> = OnceLock::new();
        let (_hole, addresses) = hole_and_server();
        ADDRESSES.set(addresses).expect("set once");
        let agent = agent(|_, _| Ok(ADDRESSES.get().cloned().unwrap_or_default()));
        let took = send(&agent, MAX_SHARE);
        assert!(took >= MAX_SHARE / 2, "{took:?}");
    }
}
