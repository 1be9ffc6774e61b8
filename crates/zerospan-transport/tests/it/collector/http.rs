use super::{Authority, Reply, Script};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use zerospan_core::sync::lock;
use zerospan_transport::Signal;

/// Ends the server when it is dropped, with all of its connections.
pub(super) struct Server {
    address: std::net::SocketAddr,
    stopped: Arc<AtomicBool>,
    streams: Arc<Mutex<Vec<TcpStream>>>,
    accepting: Option<std::thread::JoinHandle<()>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            accepting.join().unwrap();
        }
        for stream in lock(&self.streams).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

pub(super) fn serve(
    listener: TcpListener,
    tls: Option<(&Authority, bool)>,
    script: Arc<Script>,
) -> Server {
    let address = listener.local_addr().unwrap();
    let stopped = Arc::new(AtomicBool::new(false));
    let streams = Arc::new(Mutex::new(Vec::new()));
    let tls = tls.map(|(authority, mutual)| authority.server(mutual));
    let accepting = std::thread::spawn({
        let (stopped, streams) = (Arc::clone(&stopped), Arc::clone(&streams));
        move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                script.connections.fetch_add(1, Ordering::SeqCst);
                lock(&streams).push(stream.try_clone().unwrap());
                let (script, tls) = (Arc::clone(&script), tls.clone());
                std::thread::spawn(move || {
                    // The client may end the connection in any way.
                    let _ = match tls {
                        None => converse(&stream, &mut &stream, &script),
                        Some(tls) => {
                            let connection = rustls::ServerConnection::new(tls).unwrap();
                            let mut secure = rustls::StreamOwned::new(connection, &stream);
                            converse(&stream, &mut secure, &script)
                        }
                    };
                    let _ = stream.shutdown(Shutdown::Both);
                });
            }
        }
    });
    Server {
        address,
        stopped,
        streams,
        accepting: Some(accepting),
    }
}

fn converse(
    stream: &TcpStream,
    connection: &mut (impl Read + Write),
    script: &Script,
) -> io::Result<()> {
    loop {
        let head = read_head(connection)?;
        let signal = match head.lines().next() {
            Some(line) if line.contains(Signal::Logs.path()) => Signal::Logs,
            _ => Signal::Traces,
        };
        let reply = script.next(signal);
        script.keep_head(head.clone());
        let header = |name: &str| {
            head.lines().find_map(|line| {
                let (key, value) = line.split_once(':')?;
                key.eq_ignore_ascii_case(name).then(|| value.trim())
            })
        };
        if let Reply::Reset = reply {
            // Closing with data unread makes the system send a reset.
            return Ok(());
        }
        if let Reply::Garbage = reply {
            connection.write_all(b"\x00\x01\x02 this is no response\r\n\r\n")?;
            return Ok(());
        }
        let length = header("content-length")
            .and_then(|text| text.parse().ok())
            .unwrap();
        let mut body = vec![0; length];
        connection.read_exact(&mut body)?;
        if header("content-encoding") == Some("gzip") {
            let mut plain = Vec::new();
            flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut plain)?;
            body = plain;
        }
        match reply {
            Reply::Take => {
                script.keep(signal, body);
                respond(connection, "200 OK", "", b"")?;
            }
            Reply::TakeBut(rejected) => {
                script.keep(signal, body);
                // A response for logs has the same bytes.
                let message = ExportTraceServiceResponse {
                    partial_success: Some(ExportTracePartialSuccess {
                        rejected_spans: rejected,
                        error_message: "not those".to_owned(),
                    }),
                };
                respond(connection, "200 OK", "", &message.encode_to_vec())?;
            }
            Reply::TakeButExplain(rejected, len) => {
                script.keep(signal, body);
                let message = ExportTraceServiceResponse {
                    partial_success: Some(ExportTracePartialSuccess {
                        rejected_spans: rejected,
                        error_message: "x".repeat(len),
                    }),
                };
                respond(connection, "200 OK", "", &message.encode_to_vec())?;
            }
            Reply::Late(wait) => {
                std::thread::sleep(wait);
                script.keep(signal, body);
                respond(connection, "200 OK", "", b"")?;
            }
            Reply::Busy { throttled, wait } => {
                let status = if throttled {
                    "429 Too Many Requests"
                } else {
                    "503 Service Unavailable"
                };
                let header = match wait {
                    Some(wait) => format!("Retry-After: {}\r\n", wait.as_secs()),
                    None => String::new(),
                };
                respond(connection, status, &header, b"")?;
            }
            Reply::BusyUntil(time) => {
                let header = format!("Retry-After: {}\r\n", httpdate::fmt_http_date(time));
                respond(connection, "503 Service Unavailable", &header, b"")?;
            }
            Reply::Refuse => respond(connection, "400 Bad Request", "", b"\x12\x09malformed")?,
            Reply::Hang => {
                // Until the client closes the connection.
                while connection.read(&mut [0; 64])? > 0 {}
                return Ok(());
            }
            Reply::Endless => {
                script.keep(signal, body);
                respond(connection, "200 OK", "", &vec![b'x'; 8 << 20])?;
            }
            Reply::Raw(bytes) => connection.write_all(bytes.as_bytes())?,
            Reply::Reset | Reply::Garbage => unreachable!("handled above"),
        }
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    }
}

fn respond(
    connection: &mut impl Write,
    status: &str,
    headers: &str,
    body: &[u8],
) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    connection.write_all(&[head.as_bytes(), body].concat())?;
    connection.flush()
}

fn read_head(connection: &mut impl Read) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        connection.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
