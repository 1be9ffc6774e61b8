use super::client::Call;
use super::describe::describe;
use super::settings::Settings;
use super::thread::ClientThread;
use crate::error::SendError;
use crate::request::{Request, USER_AGENT};
use crate::response::ExportResponse;
use crate::target::Target;
use crate::tls::Tls;
use crate::transport::Transport;
use bytes::Bytes;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tonic::metadata::MetadataMap;
use tonic::transport::Endpoint;
use uri::HeaderMap;
use zerospan_core::fork::{self, ProcessOwned};

/// The longest list of headers that is taken from a server, in bytes.
const MAX_HEADER_BYTES: u32 = 64 << 10;

/// Sends requests over one HTTP/2 connection, which a thread of this transport drives.
///
/// The caller waits for that thread. It never enters a runtime itself: it may be a thread of the application's runtime, or
/// run a destructor of a thread-local, where a runtime cannot be entered.
pub(crate) struct GrpcTransport {
    settings: Arc<Settings>,
    /// Everything of a process: a forked child has neither this thread nor its own `epoll` set.
    thread: ProcessOwned<Option<ClientThread>>,
}

impl GrpcTransport {
    pub(crate) fn new(
        target: &Target,
        headers: &HeaderMap,
        gzip: bool,
        tls: &Tls,
    ) -> Result<Self, SendError> {
        // Without the handler a child is not detected, as everywhere in the family.
        let _ = fork::watch();
        let refused = |error: &dyn Error| SendError::refused(describe(error));
        let uri = target.uri().map_err(|error| refused(&error))?;
        let endpoint = Endpoint::from(uri)
            .http2_max_header_list_size(MAX_HEADER_BYTES)
            .user_agent(USER_AGENT)
            .and_then(|endpoint| tls.for_tonic(endpoint))
            .map_err(|error| refused(&error))?;
        Ok(Self {
            settings: Arc::new(Settings {
                peer: target.peer.clone(),
                endpoint,
                metadata: MetadataMap::from_headers(headers.clone()),
                gzip,
            }),
            thread: ProcessOwned::default(),
        })
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
            message: Bytes::from(request.body.to_vec()),
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
