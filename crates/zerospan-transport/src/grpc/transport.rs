use super::client::Call;
use super::settings::Settings;
use super::thread::ClientThread;
use crate::error::SendError;
#[cfg(feature = "gzip")]
use crate::gzip::Gzip;
use crate::request::{Request, USER_AGENT};
use crate::response::ExportResponse;
use crate::target::Target;
use crate::tls::Tls;
use crate::transport::Transport;
use bytes::{BufMut, Bytes, BytesMut};
use std::sync::Arc;
use std::time::Duration;
use uri::{HeaderMap, HeaderValue, header};
use zerospan_core::fork::{self, ProcessOwned};

/// Sends requests over one HTTP/2 connection, which a thread of this transport drives.
///
/// The caller waits for that thread. It never enters a runtime itself: it may be a thread of the application's runtime, or
/// run a destructor of a thread-local, where a runtime cannot be entered.
pub(crate) struct GrpcTransport {
    settings: Arc<Settings>,
    /// Everything of a process: a forked child has neither this thread nor its own `epoll` set.
    thread: ProcessOwned<Option<ClientThread>>,
    #[cfg(feature = "gzip")]
    gzip: Option<Gzip>,
}

impl GrpcTransport {
    pub(crate) fn new(target: &Target, own: &HeaderMap, gzip: bool, tls: &Tls) -> Self {
        // Without the handler a child is not detected, as everywhere in the family.
        let _ = fork::watch();
        let mut headers = own.clone();
        let user_agent = HeaderValue::from_static(USER_AGENT);
        headers.entry(header::USER_AGENT).or_insert(user_agent);
        let grpc = HeaderValue::from_static("application/grpc");
        headers.insert(header::CONTENT_TYPE, grpc);
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
        let gzip = gzip && cfg!(feature = "gzip");
        if gzip {
            headers.insert("grpc-encoding", HeaderValue::from_static("gzip"));
        }
        Self {
            settings: Arc::new(Settings {
                target: target.clone(),
                headers,
                tls: tls.for_grpc(),
            }),
            thread: ProcessOwned::default(),
            #[cfg(feature = "gzip")]
            gzip: gzip.then(Gzip::new),
        }
    }

    /// Returns the request's message with the prefix of gRPC.
    fn frame(&mut self, body: &[u8]) -> Result<Bytes, SendError> {
        #[cfg(feature = "gzip")]
        let (compressed, payload) = match &mut self.gzip {
            Some(gzip) => (1, gzip.compress(body)),
            None => (0, body),
        };
        #[cfg(not(feature = "gzip"))]
        let (compressed, payload) = (0, body);
        let len = u32::try_from(payload.len())
            .map_err(|_| SendError::refused("the request is longer than 4 GiB"))?;
        let mut frame = BytesMut::with_capacity(5 + payload.len());
        frame.put_u8(compressed);
        frame.put_u32(len);
        frame.put_slice(payload);
        Ok(frame.freeze())
    }
}

impl Transport for GrpcTransport {
    fn send(&mut self, request: &Request<'_>) -> Result<ExportResponse, SendError> {
        if !self.thread.is_current() {
            self.thread = ProcessOwned::default();
        }
        let left = request.time_left();
        if left < Duration::from_millis(1) {
            return Err(SendError::timed_out("there was no time left to send"));
        }
        let call = Call {
            method: request.signal.grpc_method(),
            frame: self.frame(request.body)?,
            deadline: request.deadline,
        };
        let thread = match self.thread.take() {
            Some(thread) => thread,
            None => ClientThread::spawn(&self.settings).map_err(|error| {
                SendError::unreachable(format!("no thread could be started for gRPC: {error}"))
            })?,
        };
        let (outcome, thread) = thread.call(call);
        *self.thread = thread;
        outcome
    }
}
