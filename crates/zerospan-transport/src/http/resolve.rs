use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;
use uri::Uri;
use zerospan_core::sync::{self, Mutex};

/// The time after which a name is resolved again, so that changes are followed.
const LIFETIME: Duration = Duration::from_secs(30);

/// The time after which a name is resolved again if no connection could be made.
const LIFETIME_AFTER_FAILURE: Duration = Duration::from_secs(5);

/// The addresses of one host: that of the collector, or of the proxy before it.
///
/// Resolving a name within a deadline needs a thread, since the system's resolver has none. So a name is resolved only for a
/// connection, not for each request, and its addresses are kept for a while.
#[derive(Debug)]
pub(super) struct Addresses {
    state: Mutex<State>,
    lookup: Lookup,
}

type Lookup = fn(&str, u16) -> io::Result<Vec<SocketAddr>>;

#[derive(Debug, Default)]
struct State {
    host: String,
    port: u16,
    /// Empty before the first lookup. Kept beyond their lifetime for the case that the next lookup fails.
    addresses: Vec<SocketAddr>,
    valid_until: Option<Instant>,
    /// The result of a lookup that took longer than the request that asked for it.
    pending: Option<Receiver<io::Result<Vec<SocketAddr>>>>,
}

impl Addresses {
    pub(super) fn new() -> Self {
        Self::with_lookup(|host, port| Ok((host, port).to_socket_addrs()?.collect()))
    }

    pub(super) fn with_lookup(lookup: Lookup) -> Self {
        Self {
            state: Mutex::default(),
            lookup,
        }
    }

    /// Returns the addresses of a host, the one that was connected to last before the others.
    pub(super) fn get(
        &self,
        host: &str,
        port: u16,
        timeout: Duration,
    ) -> io::Result<Vec<SocketAddr>> {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        // One thread uses the transport: nothing waits for this lock.
        let mut state = sync::lock(&self.state);
        if state.host != host || state.port != port {
            *state = State {
                host: host.to_owned(),
                port,
                ..State::default()
            };
        }
        let now = Instant::now();
        if state.valid_until.is_some_and(|end| now < end) {
            return Ok(state.addresses.clone());
        }
        match self.resolve(&mut state, timeout) {
            Ok(found) if !found.is_empty() => {
                let known = state.addresses.first().copied();
                state.addresses = found;
                state.valid_until = Some(Instant::now() + LIFETIME);
                if let Some(known) = known {
                    state.prefer(known);
                }
            }
            Ok(_) if state.addresses.is_empty() => {
                return Err(io::Error::new(
                    io::ErrorKind::NotFound,
                    "the name has no address",
                ));
            }
            Err(error) if state.addresses.is_empty() => return Err(error),
            // The name server is out of order: the collector may still be where it was.
            Ok(_) | Err(_) => {}
        }
        Ok(state.addresses.clone())
    }

    fn resolve(&self, state: &mut State, timeout: Duration) -> io::Result<Vec<SocketAddr>> {
        let receiver = match state.pending.take() {
            Some(receiver) => receiver,
            None => {
                let (sender, receiver) = mpsc::sync_channel(1);
                let (lookup, host, port) = (self.lookup, state.host.clone(), state.port);
                let thread = std::thread::Builder::new()
                    .name("zerospan-resolve".to_owned())
                    .spawn(move || sender.send(lookup(&host, port)));
                match thread {
                    Ok(_) => receiver,
                    // Without a thread it may take longer than it should.
                    Err(_) => return (self.lookup)(&state.host, state.port),
                }
            }
        };
        match receiver.recv_timeout(timeout) {
            Ok(result) => result,
            Err(RecvTimeoutError::Timeout) => {
                state.pending = Some(receiver);
                Err(io::ErrorKind::TimedOut.into())
            }
            Err(RecvTimeoutError::Disconnected) => Err(io::Error::other("the lookup panicked")),
        }
    }

    /// Notes the address that a connection was made to: the next one is made to it first.
    pub(super) fn connected(&self, address: SocketAddr) {
        sync::lock(&self.state).prefer(address);
    }

    /// Notes that no connection could be made: the addresses may be out of date.
    pub(super) fn failed(&self) {
        let mut state = sync::lock(&self.state);
        let soon = Instant::now() + LIFETIME_AFTER_FAILURE;
        state.valid_until = state.valid_until.map(|end| end.min(soon));
    }
}

impl State {
    fn prefer(&mut self, address: SocketAddr) {
        if let Some(index) = self.addresses.iter().position(|&other| other == address) {
            self.addresses[..=index].rotate_right(1);
        }
    }
}

/// Resolves nothing: `ureq` asks before it knows whether it needs a connection. The connector does it.
#[derive(Debug)]
pub(super) struct Later;

impl Resolver for Later {
    fn resolve(
        &self,
        _: &Uri,
        _: &ureq::config::Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        Ok(self.empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const LONG: Duration = Duration::from_secs(30);

    fn address(last: u8) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, last], 4318))
    }

    fn expire(addresses: &Addresses) {
        sync::lock(&addresses.state).valid_until = None;
    }

    #[test]
    fn an_address_needs_no_lookup() {
        let addresses = Addresses::with_lookup(|_, _| unreachable!("an address"));
        for (host, address) in [("192.0.2.1", "192.0.2.1:5"), ("[::1]", "[::1]:5")] {
            let found = addresses.get(host, 5, LONG).expect("an address");
            assert_eq!(found, [address.parse().expect("an address")]);
        }
    }

    #[test]
    fn a_name_is_looked_up_once_in_a_while_and_again_after_a_failure() {
        static LOOKUPS: AtomicUsize = AtomicUsize::new(0);
        let addresses = Addresses::with_lookup(|_, _| {
            let lookups = LOOKUPS.fetch_add(1, Ordering::SeqCst);
            // It moves with the third.
            Ok(if lookups < 2 {
                vec![address(1), address(2)]
            } else {
                vec![address(3)]
            })
        });
        let found = || addresses.get("collector", 4318, LONG).expect("a name");
        (0..100).for_each(|_| assert_eq!(found(), [address(1), address(2)]));
        assert_eq!(LOOKUPS.load(Ordering::SeqCst), 1);
        addresses.connected(address(2));
        (0..100).for_each(|_| assert_eq!(found(), [address(2), address(1)]));
        expire(&addresses);
        (0..100).for_each(|_| assert_eq!(found(), [address(2), address(1)]));
        assert_eq!(LOOKUPS.load(Ordering::SeqCst), 2);
        // Failures in a row do not look up each time.
        (0..100).for_each(|_| {
            addresses.failed();
            found();
        });
        assert_eq!(LOOKUPS.load(Ordering::SeqCst), 2);
        let end = sync::lock(&addresses.state).valid_until.expect("known");
        assert!(end <= Instant::now() + LIFETIME_AFTER_FAILURE);
        expire(&addresses);
        assert_eq!(found(), [address(3)]);
    }

    #[test]
    fn a_name_server_out_of_order_does_not_matter_while_an_address_is_known() {
        static IS_DOWN: AtomicUsize = AtomicUsize::new(0);
        let addresses = Addresses::with_lookup(|_, _| match IS_DOWN.load(Ordering::SeqCst) {
            0 => Ok(vec![address(1)]),
            1 => Err(io::Error::other("down")),
            _ => Ok(Vec::new()),
        });
        let found = || addresses.get("collector", 4318, LONG);
        for state in [0, 1, 2] {
            IS_DOWN.store(state, Ordering::SeqCst);
            expire(&addresses);
            assert_eq!(found().expect("known"), [address(1)]);
        }
        assert!(addresses.get("another", 4318, LONG).is_err());
    }

    #[test]
    fn a_lookup_that_takes_long_is_waited_for_again_and_not_repeated() {
        static LOOKUPS: AtomicUsize = AtomicUsize::new(0);
        static IS_OVER: Barrier = Barrier::new(2);
        let addresses = Addresses::with_lookup(|_, _| {
            LOOKUPS.fetch_add(1, Ordering::SeqCst);
            IS_OVER.wait();
            Ok(vec![address(1)])
        });
        let found = |timeout| addresses.get("collector", 4318, timeout);
        for _ in 0..3 {
            let error = found(Duration::from_millis(10)).expect_err("it takes longer");
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        }
        IS_OVER.wait();
        assert_eq!(found(LONG).expect("a name"), [address(1)]);
        assert_eq!(LOOKUPS.load(Ordering::SeqCst), 1);
    }
}
