use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A TCP proxy that may begin to swallow what the connections of the moment send, without closing them.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    /// Connections with a lower number are dead.
    dead_below: Arc<AtomicUsize>,
}

impl Proxy {
    pub(crate) fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let dead_below = Arc::new(AtomicUsize::new(0));
        std::thread::spawn({
            let (connections, dead_below) = (Arc::clone(&connections), Arc::clone(&dead_below));
            move || {
                for client in listener.incoming() {
                    let number = connections.fetch_add(1, Ordering::SeqCst);
                    let (client, server) = (client.unwrap(), TcpStream::connect(to).unwrap());
                    for (from, to) in [(&client, &server), (&server, &client)] {
                        let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                        let dead_below = Arc::clone(&dead_below);
                        std::thread::spawn(move || copy(from, to, number, &dead_below));
                    }
                }
            }
        });
        Self {
            address,
            connections,
            dead_below,
        }
    }

    /// Returns the number of connections so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Lets all connections die that there are.
    pub(crate) fn kill_silently(&self) {
        let connections = self.connections.load(Ordering::SeqCst);
        self.dead_below.store(connections, Ordering::SeqCst);
    }
}

fn copy(mut from: TcpStream, mut to: TcpStream, number: usize, dead_below: &AtomicUsize) {
    let mut bytes = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        let is_dead = number < dead_below.load(Ordering::SeqCst);
        if !is_dead && to.write_all(&bytes[..read]).is_err() {
            return;
        }
    }
    if number >= dead_below.load(Ordering::SeqCst) {
        let _ = to.shutdown(Shutdown::Both);
    }
}
