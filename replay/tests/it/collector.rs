//! A collector that speaks OTLP/HTTP, and keeps what it gets.

use flate2::read::GzDecoder;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

pub(crate) struct Collector {
    pub(crate) url: String,
    received: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Collector {
    /// Answers every request with `status`, until the process ends.
    pub(crate) fn start(status: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1/traces", listener.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&received);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || converse(&stream, status, &kept));
            }
        });
        Self { url, received }
    }

    /// The requests that came, decompressed.
    pub(crate) fn requests(&self) -> Vec<Vec<u8>> {
        self.received.lock().unwrap().clone()
    }
}

/// Answers requests until the client closes the connection.
fn converse(mut stream: &TcpStream, status: &str, kept: &Mutex<Vec<Vec<u8>>>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut length, mut is_compressed, mut line) = (0, false, String::new());
        loop {
            line.clear();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let header = line.trim().to_ascii_lowercase();
            match header.split_once(": ") {
                Some(("content-length", value)) => length = value.parse().ok()?,
                Some(("content-encoding", value)) => is_compressed = value == "gzip",
                _ if header.is_empty() => break,
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        if is_compressed {
            let mut plain = Vec::new();
            GzDecoder::new(&*body).read_to_end(&mut plain).ok()?;
            body = plain;
        }
        kept.lock().ok()?.push(body);
        write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").ok()?;
    }
}
